#include "ingest/smtp_talkers.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ingest/smtp_listen.h"

void smtp_talkers_init(struct smtp_talkers *self)
{
    memset(self->kept, 0, sizeof(self->kept));
    self->window_ms = dsnd_clock_monotonic_ms();
    (void)pthread_mutex_init(&self->lock, NULL);
}

void smtp_talkers_done(struct smtp_talkers *self)
{
    (void)pthread_mutex_destroy(&self->lock);
}

/* The client's place: its own, else that of whoever has least, which it inherits. */
static struct smtp_talker *place(struct smtp_talkers *self, const struct smtp_peer_key *key)
{
    struct smtp_talker *least = &self->kept[0];

    for (unsigned i = 0; i < SMTP_TALKERS_KEPT; i++) {
        struct smtp_talker *talker = &self->kept[i];

        if (talker->refusals && memcmp(&talker->key, key, sizeof(*key)) == 0)
            return talker;
        if (talker->refusals < least->refusals)
            least = talker;
    }
    least->key = *key;
    return least;
}

void smtp_talkers_count(struct smtp_talkers *self, const struct smtp_peer_key *key)
{
    if (key->family != AF_INET && key->family != AF_INET6)
        return;
    (void)pthread_mutex_lock(&self->lock);
    place(self, key)->refusals++;
    (void)pthread_mutex_unlock(&self->lock);
}

static int more_first(const void *a, const void *b)
{
    const struct smtp_talker *x = a;
    const struct smtp_talker *y = b;

    return (x->refusals < y->refusals) - (x->refusals > y->refusals);
}

unsigned smtp_talkers_top(struct smtp_talkers *self, int64_t now_ms,
                          struct smtp_talker ret_top[SMTP_TALKERS_TOLD])
{
    unsigned count = 0;

    (void)pthread_mutex_lock(&self->lock);
    if (now_ms - self->window_ms >= SMTP_TALKERS_WINDOW_MS) {
        self->window_ms = now_ms;
        qsort(self->kept, SMTP_TALKERS_KEPT, sizeof(*self->kept), more_first);
        while (count < SMTP_TALKERS_TOLD && self->kept[count].refusals >= SMTP_TALKERS_MIN) {
            ret_top[count] = self->kept[count];
            count++;
        }
        memset(self->kept, 0, sizeof(self->kept));
    }
    (void)pthread_mutex_unlock(&self->lock);
    return count;
}

void smtp_talkers_text(const struct smtp_peer_key *key, char *dst)
{
    unsigned char octets[sizeof(struct in6_addr)] = {0};
    char text[INET6_ADDRSTRLEN] = "";

    memcpy(octets, key->octets, sizeof(key->octets));
    (void)inet_ntop(key->family, octets, text, sizeof(text));
    (void)snprintf(dst, SMTP_LISTEN_TEXT_SIZE, "%s%s", text, key->family == AF_INET6 ? "/64" : "");
}
