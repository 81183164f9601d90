#include "hook/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t base;
    int bits;
};

#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct range4 closed4[] = {
    {IP4(0, 0, 0, 0), 8},      {IP4(10, 0, 0, 0), 8},     {IP4(100, 64, 0, 0), 10},
    {IP4(127, 0, 0, 0), 8},    {IP4(169, 254, 0, 0), 16}, {IP4(172, 16, 0, 0), 12},
    {IP4(192, 0, 0, 0), 24},   {IP4(192, 0, 2, 0), 24},   {IP4(192, 88, 99, 0), 24},
    {IP4(192, 168, 0, 0), 16}, {IP4(198, 18, 0, 0), 15},  {IP4(198, 51, 100, 0), 24},
    {IP4(203, 0, 113, 0), 24}, {IP4(224, 0, 0, 0), 4},    {IP4(240, 0, 0, 0), 4},
};

static bool public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof(closed4) / sizeof(*closed4); i++)
        if ((address ^ closed4[i].base) >> (32 - closed4[i].bits) == 0)
            return false;
    return true;
}

struct range6 {
    unsigned char base[16];
    int bits;
};

/* Inside 2000::/3, the only part of IPv6 that is in use. */
static const struct range6 closed6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static bool within6(const unsigned char *address, const struct range6 *range)
{
    for (int bit = 0; bit < range->bits; bit++)
        if (((address[bit / 8] ^ range->base[bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static uint32_t embedded4(const unsigned char *at)
{
    return IP4(at[0], at[1], at[2], at[3]);
}

static bool public6(const unsigned char *a)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};

    if (memcmp(a, mapped, sizeof(mapped)) == 0 || memcmp(a, nat64, sizeof(nat64)) == 0)
        return public4(embedded4(a + 12));
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4, RFC 3056 */
        return public4(embedded4(a + 2));
    if ((a[0] & 0xe0) != 0x20)
        return false;
    for (size_t i = 0; i < sizeof(closed6) / sizeof(*closed6); i++)
        if (within6(a, &closed6[i]))
            return false;
    return true;
}

bool hook_address_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return public4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        return public6(v6.sin6_addr.s6_addr);
    }
    return false;
}
