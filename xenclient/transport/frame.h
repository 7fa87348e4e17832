/* Messages on a stream socket: u32 length (kind + body, little endian), u32 kind, body.
 * Used between front and worker, and between the sim driver and xen-farm. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define XC_FRAME_MAX (16u << 20)

/* Incremental receiver for non-blocking use. Zeroed = empty. */
struct xc_frames {
    GByteArray *in;
    size_t used;
};
void xc_frames_clear(struct xc_frames *frames);
/* Reads what the (non-blocking) fd has. 1: something, 0: would block, -1: end of file or error. */
int xc_frames_fill(struct xc_frames *frames, int fd);
/* Takes the next whole message: 1 and *kind, *body, *length (borrowed until the next fill), 0: none
 * yet, -1: illegal length. */
int xc_frames_next(struct xc_frames *frames, uint32_t *kind, const uint8_t **body, size_t *length);

/* Appends a framed message to a buffer. */
void xc_frame_append(GByteArray *to, uint32_t kind, const GByteArray *body);

/* Blocking forms within a call's budget (NULL call: no budget). False with
 * transport/timedOut/cancelled. */
struct xc_call;
bool xc_frame_send(int fd, uint32_t kind, const GByteArray *body, struct xc_call *call,
                   GError **error);
/* *body is newly allocated. */
bool xc_frame_receive(int fd, uint32_t *kind, GByteArray **body, struct xc_call *call,
                      GError **error);
