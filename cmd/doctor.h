/*
 * What the files of dsnd doctor share. One thread.
 */
#ifndef DSND_CMD_DOCTOR_H
#define DSND_CMD_DOCTOR_H

#include "base/err.h"
#include "cmd/settings.h"

enum doctor_grade { DOCTOR_GOOD, DOCTOR_WARN, DOCTOR_BAD, DOCTOR_GRADES };

struct doctor {
    const struct settings *settings;
    unsigned counts[DOCTOR_GRADES];
};

/* Print one finding, and count it. */
DSND_PRINTF(4, 5)
void doctor_find(struct doctor *self, enum doctor_grade grade, const char *subject,
                 const char *format, ...);

/* doctor_domain.c: MX, certificate, MTA-STS, TLSRPT and DANE of each of smtp.domains. */
void doctor_examine_domains(struct doctor *self);

#endif
