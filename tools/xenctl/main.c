/* xenctl: the command line of an estate, over SNMP. */
#include "tools/xenctl/xenctl.h"

#include <locale.h>

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    return ctl_main(argc, argv);
}
