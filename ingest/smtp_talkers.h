/*
 * Who is refused most: a table of fixed size (the space-saving algorithm of Metwally and others,
 * 2005), so that a flood of addresses costs nothing and its largest sources stand in it all the
 * same. Any thread.
 */
#ifndef DSND_INGEST_SMTP_TALKERS_H
#define DSND_INGEST_SMTP_TALKERS_H

#include <pthread.h>
#include <stdint.h>

#include "ingest/smtp_peers.h"

enum {
    SMTP_TALKERS_KEPT = 64,
    SMTP_TALKERS_TOLD = 5,
    SMTP_TALKERS_MIN = 20, /* refusals in a minute below which nobody is worth a line */
    SMTP_TALKERS_WINDOW_MS = 60 * 1000,
};

struct smtp_talker {
    struct smtp_peer_key key;
    uint64_t refusals; /* in the window; never too few, and too many by at most the smallest kept */
};

struct smtp_talkers {
    pthread_mutex_t lock;
    int64_t window_ms; /* when it began */
    struct smtp_talker kept[SMTP_TALKERS_KEPT];
};

void smtp_talkers_init(struct smtp_talkers *self);
void smtp_talkers_done(struct smtp_talkers *self);

/* The client was refused something. */
void smtp_talkers_count(struct smtp_talkers *self, const struct smtp_peer_key *key);

/*
 * At the end of a window: the clients with most refusals into `ret_top`, most first, and a new
 * window. Returns how many; 0 while the window lasts. Times are monotonic.
 */
unsigned smtp_talkers_top(struct smtp_talkers *self, int64_t now_ms,
                          struct smtp_talker ret_top[SMTP_TALKERS_TOLD]);

/* The client as text, "192.0.2.7" or "2001:db8::/64", into `dst` of SMTP_LISTEN_TEXT_SIZE. */
void smtp_talkers_text(const struct smtp_peer_key *key, char *dst);

#endif
