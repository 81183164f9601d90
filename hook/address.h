/*
 * Which addresses a webhook may reach: whoever may name an endpoint must not reach what only this
 * machine or its network can. Pure, any thread.
 */
#ifndef DSND_HOOK_ADDRESS_H
#define DSND_HOOK_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * A public unicast address of IPv4 or IPv6. Not so: loopback, private, link-local, shared,
 * multicast, documentation and reserved ranges (IANA special-purpose registries, RFC 6890), and
 * IPv6 addresses that carry such an IPv4 address (mapped, NAT64, 6to4). Other families are never
 * public.
 */
bool hook_address_public(const struct sockaddr *address);

#endif
