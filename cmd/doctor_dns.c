#include "cmd/doctor_dns.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

enum {
    ANSWER_OCTETS = 65535,
    MX_PREFERENCE_OCTETS = 2,
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

enum dsnd_err doctor_dns_mx(const char *domain, char ret_host[DOCTOR_DNS_NAME_SIZE])
{
    static unsigned char answer[ANSWER_OCTETS];
    ns_msg message;
    int len = res_query(domain, ns_c_in, ns_t_mx, answer, sizeof(answer));

    if (len < 0)
        return h_errno == TRY_AGAIN || h_errno == NO_RECOVERY ? DSND_ERR_UNAVAILABLE
                                                              : DSND_ERR_NOT_FOUND;
    if (ns_initparse(answer, len, &message) != 0)
        return DSND_ERR_UNAVAILABLE;
    return best_mx(&message, ret_host);
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
