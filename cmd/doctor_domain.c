#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/doctor.h"
#include "cmd/doctor_dns.h"

/* What is known of one domain while it is examined. */
struct domain {
    struct doctor *doctor;
    const char *name;
    char mx[DOCTOR_DNS_NAME_SIZE];
    struct tls_chain *chain; /* that a sender gets from us as `mx`; NULL: no STARTTLS */
    bool is_named;           /* it names `mx` */
    const char *doubt;       /* why it does not verify, or NULL */
    bool is_asked_for;       /* MTA-STS or DANE promise encryption */
};

static bool find_mx(struct domain *self)
{
    enum dsnd_err err = doctor_dns_mx(self->name, self->mx);
    bool ok = false;

    if (err == DSND_ERR_UNAVAILABLE)
        doctor_find(self->doctor, DOCTOR_WARN, "dns", "%s: the resolver does not answer",
                    self->name);
    else if (err)
        doctor_find(self->doctor, DOCTOR_BAD, "dns",
                    "%s has no MX: reports cannot find their way here", self->name);
    else if (strcmp(self->mx, ".") == 0)
        doctor_find(self->doctor, DOCTOR_BAD, "dns",
                    "%s has a null MX (RFC 7505): it takes no mail", self->name);
    else if (!doctor_dns_has_address(self->mx))
        doctor_find(self->doctor, DOCTOR_BAD, "dns", "%s: its MX %s has no address", self->name,
                    self->mx);
    else
        ok = true;
    if (ok)
        doctor_find(self->doctor, DOCTOR_GOOD, "dns", "%s: MX %s", self->name, self->mx);
    return ok;
}

/* That a chain is doubtful matters to nobody but those whom MTA-STS tells to look at it. */
static void examine_chain(struct domain *self)
{
    const char *cert = self->doctor->settings->smtp.tls_cert;

    if (!cert[0])
        return;
    self->is_named = tls_chain_load(cert, self->mx, &self->chain) == DSND_OK;
    if (!self->chain)
        return; /* reported as a certificate that cannot be read */
    self->doubt = tls_chain_doubt(self->chain);
    if (!self->is_named)
        doctor_find(self->doctor, DOCTOR_WARN, "chain", "no certificate names %s, the MX of %s",
                    self->mx, self->name);
    else if (self->doubt)
        doctor_find(self->doctor, DOCTOR_WARN, "chain", "the certificate of %s does not verify: %s",
                    self->mx, self->doubt);
    else
        doctor_find(self->doctor, DOCTOR_GOOD, "chain", "the certificate names %s and verifies",
                    self->mx);
}

static void examine_mta_sts(struct domain *self)
{
    char name[DOCTOR_DNS_NAME_SIZE + 16];
    char text[DOCTOR_DNS_TEXT_SIZE];
    enum dsnd_err err;

    (void)snprintf(name, sizeof(name), "_mta-sts.%s", self->name);
    err = doctor_dns_text(name, "v=STSv1", text);
    if (err == DSND_ERR_CONFLICT)
        doctor_find(self->doctor, DOCTOR_BAD, "mta-sts",
                    "%s has several records of v=STSv1: senders heed none", name);
    else if (err)
        doctor_find(self->doctor, DOCTOR_WARN, "mta-sts",
                    "%s has no TXT record \"v=STSv1; id=...\": senders may deliver in the clear",
                    name);
    else if (!strstr(text, "id="))
        doctor_find(self->doctor, DOCTOR_BAD, "mta-sts", "%s has no id: \"%s\"", name, text);
    else if (!self->chain || !self->is_named || self->doubt)
        doctor_find(self->doctor, DOCTOR_BAD, "mta-sts",
                    "%s asks for a certificate that names %s and verifies, which there is not: in "
                    "mode enforce nobody can deliver",
                    name, self->mx);
    else
        doctor_find(self->doctor, DOCTOR_GOOD, "mta-sts",
                    "\"%s\"; see that https://mta-sts.%s/.well-known/mta-sts.txt names mx: %s",
                    text, self->name, self->mx);
    self->is_asked_for = !err;
}

/* SMTP knows usages 2 and 3 only (RFC 7672 section 3.1). */
static bool any_matches(const struct domain *self, const struct doctor_dns_tlsa *records)
{
    for (size_t i = 0; i < records->count; i++)
        if (records->at[i].usage >= 2 && self->chain &&
            tls_chain_matches(self->chain, &records->at[i]))
            return true;
    return false;
}

static void examine_dane(struct domain *self)
{
    static struct doctor_dns_tlsa records;
    enum dsnd_err err = doctor_dns_tlsa(self->mx, &records);

    if (err)
        doctor_find(self->doctor, DOCTOR_GOOD, "dane", "_25._tcp.%s has no TLSA record: no DANE",
                    self->mx);
    else if (!any_matches(self, &records))
        doctor_find(self->doctor, DOCTOR_BAD, "dane",
                    "no TLSA record of _25._tcp.%s of usage 2 or 3 matches the certificate: "
                    "senders with DANE cannot deliver",
                    self->mx);
    else if (!records.secure)
        doctor_find(self->doctor, DOCTOR_WARN, "dane",
                    "_25._tcp.%s matches, but the resolver does not vouch for it (DNSSEC): "
                    "senders do not heed it, or this resolver does not validate",
                    self->mx);
    else
        doctor_find(self->doctor, DOCTOR_GOOD, "dane", "_25._tcp.%s matches the certificate",
                    self->mx);
    self->is_asked_for = self->is_asked_for || !err;
}

static void examine_tlsrpt(struct domain *self)
{
    char name[DOCTOR_DNS_NAME_SIZE + 16];
    char text[DOCTOR_DNS_TEXT_SIZE];
    enum dsnd_err err;

    (void)snprintf(name, sizeof(name), "_smtp._tls.%s", self->name);
    err = doctor_dns_text(name, "v=TLSRPTv1", text);
    if (err == DSND_ERR_CONFLICT || (!err && !strstr(text, "rua=")))
        doctor_find(self->doctor, DOCTOR_BAD, "tlsrpt",
                    "%s: want one record \"v=TLSRPTv1; rua=mailto:...\"", name);
    else if (!err)
        doctor_find(self->doctor, DOCTOR_GOOD, "tlsrpt", "\"%s\"", text);
    else if (self->is_asked_for)
        doctor_find(
            self->doctor, DOCTOR_WARN, "tlsrpt",
            "%s has no TXT record \"v=TLSRPTv1; rua=mailto:...\": nobody will tell you that "
            "delivery fails for want of a good certificate",
            name);
}

static void examine_domain(struct doctor *doctor, const char *name)
{
    struct domain self = {.doctor = doctor, .name = name};

    if (!find_mx(&self))
        return;
    examine_chain(&self);
    examine_mta_sts(&self);
    examine_dane(&self);
    examine_tlsrpt(&self);
    tls_chain_free(self.chain);
}

void doctor_examine_domains(struct doctor *self)
{
    struct dsnd_str rest = dsnd_str_of(self->settings->smtp.domains);
    char domain[DOCTOR_DNS_NAME_SIZE];

    if (!rest.len)
        doctor_find(self, DOCTOR_BAD, "dns", "smtp.domains is not set: every recipient is refused");
    while (dsnd_str_present(rest) && rest.len) {
        struct dsnd_str name = dsnd_str_trim(dsnd_str_cut(&rest, ','));

        if (name.len && dsnd_str_copy(name, domain, sizeof(domain)) == DSND_OK)
            examine_domain(self, domain);
    }
}
