/* The process that runs drivers. */
#pragma once

/* Serves the front on fd until it hangs up; never returns to the caller's work: the result is the exit status.
 * Called first thing in main() for `--worker FD`. */
int xc_worker_main(int fd);
