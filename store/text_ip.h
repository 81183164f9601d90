/*
 * Which of our addresses a refusal speaks of. Pure, any thread.
 */
#ifndef DSND_STORE_TEXT_IP_H
#define DSND_STORE_TEXT_IP_H

#include <stdbool.h>

#include "base/str.h"

/* Octets of the longest IPv6 address and its NUL. */
enum { STORE_IP_SIZE = 46 };

/*
 * The first IP address that `text` names and that is not the remote's own: not before " said:", not
 * in "host NAME[ADDRESS]", not in `remote_mta` (may be absent), and none that means nothing between
 * hosts (loopback, as blocklists answer with, multicast, unspecified). In canonical form; false
 * where there is none. Linear.
 */
bool store_text_ip(struct dsnd_str text, struct dsnd_str remote_mta, char ret_ip[STORE_IP_SIZE]);

#endif
