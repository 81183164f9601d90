#include "tests/load/outcome.h"

#include <string.h>

#define GOOGLE "google", "gmail.com", "gmail-smtp-in.l.google.com"
#define OUTLOOK "microsoft", "hotmail.com", "hotmail-com.olc.protection.outlook.com"
#define YAHOO "yahoo", "yahoo.com", "mta5.am0.yahoodns.net"
#define GMX "gmx", "gmx.net", "mx00.gmx.net"
#define WEBDE "gmx", "web.de", "mx-ha02.web.de"
#define TONLINE "telekom", "t-online.de", "mx00.t-online.de"
#define ICLOUD "apple", "icloud.com", "mx01.mail.icloud.com"
#define QQ "tencent", "qq.com", "mx3.qq.com"
#define MAILRU "mailru", "mail.ru", "mxs.mail.ru"
#define ORANGE "orange", "orange.fr", "smtp-in.orange.fr"
#define COMCAST "comcast", "comcast.net", "mx1.comcast.net"
#define COMPANY "", "company.example", "mail.company.example"

const struct outcome outcome_failed[] = {
    {GOOGLE, "5.1.1",
     "550-5.1.1 The email account that you tried to reach does not exist. Please try "
     "550-5.1.1 double-checking the recipient's email address for typos or "
     "550 5.1.1 unnecessary spaces. a640c23a62f3a-ab1 - gsmtp",
     REPORT_CLASS_MAILBOX_UNKNOWN, 30},
    {GOOGLE, "5.2.1",
     "550 5.2.1 The email account that you tried to reach is disabled. For more information, go "
     "to https://support.google.com/mail/?p=DisabledUser d9443c01a7336-ab2 - gsmtp",
     REPORT_CLASS_MAILBOX_INACTIVE, 6},
    {GOOGLE, "5.2.2",
     "552 5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the "
     "recipient to https://support.google.com/mail/?p=OverQuotaPerm ab3 - gsmtp",
     REPORT_CLASS_MAILBOX_FULL, 9},
    {GOOGLE, "5.7.26",
     "550-5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires "
     "550 5.7.26 all senders to authenticate with either SPF or DKIM. ab4 - gsmtp",
     REPORT_CLASS_AUTH_FAILURE, 4},
    {GOOGLE, "5.7.1",
     "550-5.7.1 [192.0.2.25] Our system has detected that this message is likely unsolicited "
     "550 5.7.1 mail. To reduce the amount of spam sent to Gmail it has been blocked. ab5 - gsmtp",
     REPORT_CLASS_CONTENT_BLOCK, 3},
    {OUTLOOK, "5.5.0",
     "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). "
     "[VI1EUR05FT.eop-eur05.prod.protection.outlook.com]",
     REPORT_CLASS_MAILBOX_UNKNOWN, 18},
    {OUTLOOK, "5.7.1",
     "550 5.7.1 Unfortunately, messages from [192.0.2.25] weren't sent. Please contact your "
     "Internet service provider since part of their network is on our block list (S3150).",
     REPORT_CLASS_REPUTATION_BLOCK, 8},
    {OUTLOOK, "5.2.2",
     "552 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiException",
     REPORT_CLASS_MAILBOX_FULL, 3},
    {YAHOO, "5.0.0",
     "554 delivery error: dd This user doesn't have a yahoo.com account ({recipient}) [0]",
     REPORT_CLASS_MAILBOX_UNKNOWN, 14},
    {YAHOO, "5.7.9",
     "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/"
     "error-codes",
     REPORT_CLASS_POLICY_REFUSED, 2},
    {GMX, "5.1.1", "550 Requested action not taken: mailbox unavailable",
     REPORT_CLASS_MAILBOX_UNKNOWN, 9},
    {WEBDE, "5.2.2", "552-Requested mail action aborted: exceeded storage allocation 552 Quota",
     REPORT_CLASS_MAILBOX_FULL, 3},
    {TONLINE, "5.1.1", "550 5.1.1 <{recipient}>: user unknown", REPORT_CLASS_MAILBOX_UNKNOWN, 5},
    {ICLOUD, "5.1.1", "550 5.1.1 <{recipient}>: user does not exist", REPORT_CLASS_MAILBOX_UNKNOWN,
     4},
    {QQ, "5.0.0", "550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?id=20022",
     REPORT_CLASS_MAILBOX_UNKNOWN, 7},
    {MAILRU, "5.0.0",
     "550 Message was not accepted -- invalid mailbox. Local mailbox {recipient} is unavailable: "
     "user not found",
     REPORT_CLASS_MAILBOX_UNKNOWN, 4},
    {ORANGE, "5.1.1",
     "550 5.1.1 <{recipient}> Adresse d'un destinataire invalide. Invalid "
     "recipient. OFR_416 [416]",
     REPORT_CLASS_MAILBOX_UNKNOWN, 4},
    {COMCAST, "5.1.1", "550 5.1.1 Account not available", REPORT_CLASS_MAILBOX_UNKNOWN, 3},
    {COMPANY, "5.2.3", "552 5.2.3 Message size exceeds fixed maximum message size (10485760)",
     REPORT_CLASS_MESSAGE_TOO_LARGE, 2},
    {COMPANY, "5.7.1",
     "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org",
     REPORT_CLASS_REPUTATION_BLOCK, 3},
    {COMPANY, "5.4.4",
     "Host or domain name not found. Name service error for name=company.example "
     "type=A: Host not found",
     REPORT_CLASS_DOMAIN_INVALID, 4},
};
const size_t outcome_failed_count = sizeof(outcome_failed) / sizeof(*outcome_failed);

const struct outcome outcome_delayed[] = {
    {COMPANY, "4.4.1", "connect to {mx}[192.0.2.77]:25: Connection timed out", REPORT_CLASS_NETWORK,
     6},
    {GOOGLE, "4.2.2",
     "452 4.2.2 The email account that you tried to reach is over quota. Please direct the "
     "recipient to https://support.google.com/mail/?p=OverQuotaTemp ab6 - gsmtp",
     REPORT_CLASS_MAILBOX_FULL, 8},
    {OUTLOOK, "4.7.650",
     "451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP "
     "reputation. For e-mail delivery information, see https://postmaster.live.com (S775)",
     REPORT_CLASS_REPUTATION_BLOCK, 7},
    {YAHOO, "4.7.0",
     "421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or "
     "user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
     REPORT_CLASS_REPUTATION_BLOCK, 7},
    {GMX, "4.2.0", "450 4.2.0 <{recipient}>: Recipient address rejected: Greylisted, try again",
     REPORT_CLASS_THROTTLED, 4},
    {TONLINE, "4.3.2", "421 4.3.2 Too many connections from your host, try again later",
     REPORT_CLASS_THROTTLED, 3},
};
const size_t outcome_delayed_count = sizeof(outcome_delayed) / sizeof(*outcome_delayed);

const struct outcome outcome_complained[] = {
    {YAHOO, "", "", REPORT_CLASS_COMPLAINT, 4},
    {OUTLOOK, "", "", REPORT_CLASS_COMPLAINT, 3},
    {COMCAST, "", "", REPORT_CLASS_COMPLAINT, 1},
};
const size_t outcome_complained_count = sizeof(outcome_complained) / sizeof(*outcome_complained);

const struct outcome *outcome_pick(const struct outcome *table, size_t count, uint64_t random)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += table[i].weight;
    random %= sum ? sum : 1;
    while (random >= table->weight)
        random -= (table++)->weight;
    return table;
}

const struct outcome *outcome_delay_of(const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome_delayed_count; i++)
        if (strcmp(outcome_delayed[i].domain, outcome->domain) == 0)
            return &outcome_delayed[i];
    return &outcome_delayed[0];
}
