/* umask, core dumps, user and groups. */
#include "subagent/privileges.h"

#include "xenclient/util/error.h"
#include "xenclient/util/log.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool become(const char *user, GError **error)
{
    struct passwd account;
    struct passwd *entry = NULL;
    char texts[4096];

    if (getpwnam_r(user, &account, texts, sizeof(texts), &entry) != 0 || !entry)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "user %s of section [agent] does not exist: create it, or set `user=`",
                       user);
    if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
        setuid(entry->pw_uid) != 0)
        return xc_fail(error, XC_CAUSE_INTERNAL, "can't become user %s: %s", user,
                       g_strerror(errno));
    if (entry->pw_uid != 0 && setuid(0) == 0)
        return xc_fail(error, XC_CAUSE_INTERNAL, "user %s could become root again", user);
    return true;
}

bool st_privileges_limit(const char *user, GError **error)
{
    const struct rlimit none = {0, 0};

    umask(077);
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return xc_fail(error, XC_CAUSE_INTERNAL, "can't forbid core dumps: %s", g_strerror(errno));
    if (geteuid() != 0)
        return true;
    if (*user)
        return become(user, error);
    xc_log(XC_LOG_WARNING, "running as root: set `user=` in section [agent]");
    return true;
}
