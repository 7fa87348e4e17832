/* The farm's sockets: PATH for sim drivers, PATH.ctl for people and tests. One thread, epoll,
 * nothing blocks; whoever is not answered costs nothing. */
#pragma once

#include "tools/xen-farm/fleet.h"

#include <sys/types.h>

struct farm_server;
struct farm_journal;

/* Longest path of the socket, with ".ctl" behind it. */
#define FARM_PATH_MAX 100

/* Makes both sockets, mode 0600. One that nobody serves any more is replaced; one that is alive is
 * not (busy). fleet and journal (may be NULL) are borrowed. */
struct farm_server *farm_server_new(struct farm_fleet *fleet, struct farm_journal *journal,
                                    const char *path, GError **error);
/* Serves until stop_fd is readable. churn: so many domains change by themselves in a minute. */
bool farm_server_run(struct farm_server *server, int stop_fd, unsigned churn, GError **error);
/* Hangs up and removes the sockets. Returns NULL; takes NULL. */
void *farm_server_free(struct farm_server *server);

/* --- for client.c and control.c */

/* A connection with what waits to be sent. The first member of each kind of connection. */
struct farm_link {
    struct farm_server *server;
    int fd;
    uint32_t armed; /* epoll events asked for */
    bool deaf;      /* does not want to read now */
    bool hungry;    /* to be told whenever there is room for more */
    bool closing;   /* to be closed once all is sent */
    bool dead;      /* closed, to be freed after this round of events */
    GQueue out;     /* GByteArray */
    size_t sent;    /* of the first one */
    const struct farm_link_kind *kind;
};
struct farm_link_kind {
    struct farm_link *(*make)(void); /* zeroed, of the right size */
    void (*readable)(struct farm_link *link);
    void (*drained)(struct farm_link *link); /* all is sent; may be NULL */
    void (*closed)(struct farm_link *link);  /* leaves all lists; then freed with g_free() */
};
extern const struct farm_link_kind farm_client_kind;
extern const struct farm_link_kind farm_control_kind;

/* Takes the bytes over. Sends what the socket takes at once. */
void farm_link_send(struct farm_link *link, GByteArray *bytes);
void farm_link_close(struct farm_link *link);
/* After a change of deaf or closing. */
void farm_link_arm(struct farm_link *link);

struct farm_fleet *farm_server_fleet(struct farm_server *server);
/* Connections of drivers, for statistics and for changes of faults. */
const GPtrArray *farm_server_clients(const struct farm_server *server);
void farm_server_count_poll(struct farm_server *server);
uint64_t farm_server_polls(const struct farm_server *server);

/* Lists kept for client.c: who wants to hear of a host (NULL: of all), who follows an operation. */
GPtrArray *farm_server_listeners(struct farm_server *server, const struct farm_host *host);
GHashTable *farm_server_followers(struct farm_server *server);

/* --- client.c, called by server.c and control.c */
void farm_client_changed(struct farm_server *server, const struct farm_host *host);
void farm_client_moved(struct farm_link *link, const struct farm_op *op);
void farm_client_ended(struct farm_link *link, const struct farm_op *op);
/* When a client that was made to wait is to go on; G_MAXINT64: not by itself. */
gint64 farm_client_resume_at(const struct farm_link *link);
void farm_client_resume(struct farm_link *link);
/* The fault of that host is another one now; hang_up: as if its network had been cut. */
void farm_client_fault(struct farm_server *server, const struct farm_host *host, bool hang_up);

/* --- commands.c: executes one line; output lines are added to out. */
bool farm_command(struct farm_server *server, const char *line, GString *out, GError **error);
/* What there are, with their arguments. */
void farm_commands_help(GString *out);

/* --- journal.c: a file of all executions, so that a farm that was killed knows what it had begun
 */
struct farm_journal *farm_journal_open(const char *path, struct farm_fleet *fleet, GError **error);
void *farm_journal_close(struct farm_journal *journal);
void farm_journal_begun(struct farm_journal *journal, const struct farm_op *op);
void farm_journal_ended(struct farm_journal *journal, const struct farm_op *op);
