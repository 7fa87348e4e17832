/* The core's one header for programs. */
#pragma once

#include "xenclient/drivers/credential.h"
#include "xenclient/drivers/driver.h"
#include "xenclient/engine/config.h"
#include "xenclient/engine/engine.h"
#include "xenclient/engine/fleet.h"
#include "xenclient/engine/groups.h"
#include "xenclient/engine/operations.h"
#include "xenclient/model/model.h"
#include "xenclient/model/snapshot.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/log.h"
#include "xenclient/util/text.h"
#include "xenclient/worker/worker.h"
