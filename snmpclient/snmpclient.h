/* The SNMP client's one header for programs. */
#pragma once

#include "snmpclient/mib.h"
#include "snmpclient/probe.h"
#include "snmpclient/session.h"
#include "snmpclient/settings.h"
#include "snmpclient/table.h"
#include "snmpclient/value.h"
