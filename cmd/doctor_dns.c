#include "cmd/doctor_dns.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    ANSWER_OCTETS = 65535,
    MX_PREFERENCE_OCTETS = 2,
    TLSA_HEAD = 3, /* usage, selector, matching type */
};

static bool read_mx(ns_msg *message, int index, unsigned *ret_preference,
                    char ret_host[DOCTOR_DNS_NAME_SIZE])
{
    ns_rr record;

    if (ns_parserr(message, ns_s_an, index, &record) != 0 || ns_rr_type(record) != ns_t_mx ||
        ns_rr_rdlen(record) <= MX_PREFERENCE_OCTETS)
        return false;
    *ret_preference = ns_get16(ns_rr_rdata(record));
    return dn_expand(ns_msg_base(*message), ns_msg_end(*message),
                     ns_rr_rdata(record) + MX_PREFERENCE_OCTETS, ret_host,
                     DOCTOR_DNS_NAME_SIZE) >= 0;
}

static enum dsnd_err best_mx(ns_msg *message, char ret_host[DOCTOR_DNS_NAME_SIZE])
{
    enum dsnd_err err = DSND_ERR_NOT_FOUND;
    char host[DOCTOR_DNS_NAME_SIZE];
    unsigned best = UINT16_MAX + 1;
    unsigned preference;

    for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
        if (!read_mx(message, i, &preference, host) || preference >= best)
            continue;
        best = preference;
        memcpy(ret_host, host[0] ? host : ".", host[0] ? sizeof(host) : sizeof("."));
        err = DSND_OK;
    }
    return err;
}

/* Ask for records of a type; the answer stands in a buffer of ours until the next question. */
static enum dsnd_err ask(const char *name, ns_type type, ns_msg *ret_message)
{
    static unsigned char answer[ANSWER_OCTETS];
    int len;

    if (res_init() != 0)
        return DSND_ERR_UNAVAILABLE;
    _res.options |= RES_TRUSTAD;
    len = res_query(name, ns_c_in, (int)type, answer, sizeof(answer));
    if (len < 0)
        return h_errno == TRY_AGAIN || h_errno == NO_RECOVERY ? DSND_ERR_UNAVAILABLE
                                                              : DSND_ERR_NOT_FOUND;
    return ns_initparse(answer, len, ret_message) == 0 ? DSND_OK : DSND_ERR_UNAVAILABLE;
}

enum dsnd_err doctor_dns_mx(const char *domain, char ret_host[DOCTOR_DNS_NAME_SIZE])
{
    ns_msg message;
    enum dsnd_err err = ask(domain, ns_t_mx, &message);

    return err ? err : best_mx(&message, ret_host);
}

/* The strings of a TXT record, each with its length before it, as one (RFC 1035 section 3.3.14). */
static void join_strings(const ns_rr *record, char ret_text[DOCTOR_DNS_TEXT_SIZE])
{
    const unsigned char *data = ns_rr_rdata(*record);
    size_t end = ns_rr_rdlen(*record);
    size_t len = 0;

    for (size_t at = 0, next = 0; at < end; at++) {
        if (at == next)
            next = at + data[at] + 1;
        else if (len + 1 < DOCTOR_DNS_TEXT_SIZE)
            ret_text[len++] = data[at] >= ' ' && data[at] < 0x7f ? (char)data[at] : '?';
    }
    ret_text[len] = '\0';
}

enum dsnd_err doctor_dns_text(const char *name, const char *version,
                              char ret_text[DOCTOR_DNS_TEXT_SIZE])
{
    char text[DOCTOR_DNS_TEXT_SIZE];
    size_t found = 0;
    ns_msg message;
    ns_rr record;
    enum dsnd_err err = ask(name, ns_t_txt, &message);

    for (int i = 0; !err && i < ns_msg_count(message, ns_s_an); i++) {
        if (ns_parserr(&message, ns_s_an, i, &record) != 0 || ns_rr_type(record) != ns_t_txt)
            continue;
        join_strings(&record, text);
        if (strncmp(text, version, strlen(version)) == 0 && found++ == 0)
            memcpy(ret_text, text, sizeof(text));
    }
    if (err)
        return err;
    return found == 1 ? DSND_OK : found ? DSND_ERR_CONFLICT : DSND_ERR_NOT_FOUND;
}

static bool read_tlsa(const ns_rr *record, struct tls_tlsa *ret_tlsa)
{
    const unsigned char *data = ns_rr_rdata(*record);
    size_t len = ns_rr_rdlen(*record);

    if (len <= TLSA_HEAD || len - TLSA_HEAD > TLS_TLSA_OCTETS)
        return false;
    ret_tlsa->usage = data[0];
    ret_tlsa->selector = data[1];
    ret_tlsa->matching = data[2];
    ret_tlsa->len = len - TLSA_HEAD;
    memcpy(ret_tlsa->octets, data + TLSA_HEAD, ret_tlsa->len);
    return true;
}

enum dsnd_err doctor_dns_tlsa(const char *host, struct doctor_dns_tlsa *ret_records)
{
    char name[DOCTOR_DNS_NAME_SIZE + 16];
    ns_msg message;
    ns_rr record;
    enum dsnd_err err;

    (void)snprintf(name, sizeof(name), "_25._tcp.%s", host);
    err = ask(name, ns_t_tlsa, &message);
    if (err)
        return err;
    ret_records->count = 0;
    ret_records->secure = ns_msg_getflag(message, ns_f_ad) != 0;
    for (int i = 0; i < ns_msg_count(message, ns_s_an) && ret_records->count < DOCTOR_DNS_TLSA_MAX;
         i++)
        if (ns_parserr(&message, ns_s_an, i, &record) == 0 && ns_rr_type(record) == ns_t_tlsa &&
            read_tlsa(&record, &ret_records->at[ret_records->count]))
            ret_records->count++;
    return ret_records->count ? DSND_OK : DSND_ERR_NOT_FOUND;
}

bool doctor_dns_has_address(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    bool found = getaddrinfo(host, NULL, &hints, &list) == 0;

    if (found)
        freeaddrinfo(list);
    return found;
}
