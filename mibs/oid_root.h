/* Where XENSNMP-MIB hangs: the only constant in C that knows it (docs/oid-root.md). The contract check
 * compares it with the MIB text. */
#pragma once

#define XENSNMP_OID_ROOT 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 936
