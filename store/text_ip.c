#include "store/text_ip.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static bool in_word(char c)
{
    return dsnd_is_digit(c) || dsnd_is_alpha(c) || (c && strchr(".:-_", c));
}

/* The next word of `*text`, which moves past it; may be empty before the end. */
static struct dsnd_str next_word(struct dsnd_str *text)
{
    size_t from = 0;
    size_t to;
    struct dsnd_str word;

    while (from < text->len && !in_word(text->ptr[from]))
        from++;
    to = from;
    while (to < text->len && in_word(text->ptr[to]))
        to++;
    word = dsnd_str_slice(*text, from, to);
    *text = dsnd_str_slice(*text, to, text->len);
    while (word.len && strchr(".:-", word.ptr[word.len - 1]))
        word.len--;
    return word;
}

static bool read_ip4(struct dsnd_str word, char ret_ip[STORE_IP_SIZE])
{
    struct in_addr address;
    char text[STORE_IP_SIZE];
    uint32_t first;

    word = dsnd_str_cut(&word, ':'); /* without a port */
    if (dsnd_str_copy(word, text, sizeof(text)) || inet_pton(AF_INET, text, &address) != 1)
        return false;
    first = ntohl(address.s_addr) >> 24;
    return first != 0 && first != 127 && first < 224 &&
           inet_ntop(AF_INET, &address, ret_ip, STORE_IP_SIZE) != NULL;
}

static bool read_ip6(struct dsnd_str word, char ret_ip[STORE_IP_SIZE])
{
    static const struct dsnd_str tag = DSND_STR_INIT("IPv6:");
    struct in6_addr address;
    char text[STORE_IP_SIZE];

    if (dsnd_str_istarts(word, tag))
        word = dsnd_str_slice(word, tag.len, word.len);
    if (dsnd_str_copy(word, text, sizeof(text)) || inet_pton(AF_INET6, text, &address) != 1)
        return false;
    return !IN6_IS_ADDR_LOOPBACK(&address) && !IN6_IS_ADDR_UNSPECIFIED(&address) &&
           !IN6_IS_ADDR_MULTICAST(&address) &&
           inet_ntop(AF_INET6, &address, ret_ip, STORE_IP_SIZE) != NULL;
}

/* "host mx.example.net[192.0.2.1]" is who refused. */
static bool is_host(struct dsnd_str before_last, struct dsnd_str last)
{
    return dsnd_str_ieq(before_last, DSND_STR("host")) && dsnd_str_chr(last, '.') != SIZE_MAX;
}

bool store_text_ip(struct dsnd_str text, struct dsnd_str remote_mta, char ret_ip[STORE_IP_SIZE])
{
    static const struct dsnd_str said = DSND_STR_INIT(" said:");
    struct dsnd_str before_last = DSND_STR_ABSENT;
    struct dsnd_str last = DSND_STR_ABSENT;
    size_t quote = dsnd_str_find(text, said);

    if (quote != SIZE_MAX)
        text = dsnd_str_slice(text, quote + said.len, text.len);
    while (text.len) {
        struct dsnd_str word = next_word(&text);

        if ((read_ip4(word, ret_ip) || read_ip6(word, ret_ip)) && !is_host(before_last, last) &&
            dsnd_str_find(remote_mta, word) == SIZE_MAX)
            return true;
        if (word.len) {
            before_last = last;
            last = word;
        }
    }
    return false;
}
