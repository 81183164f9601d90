/*
 * What smtp_auth.c needs of the users beyond its public interface.
 */
#ifndef DSND_INGEST_SMTP_USERS_H
#define DSND_INGEST_SMTP_USERS_H

#include <gsasl.h>

#include "ingest/smtp_auth.h"

/* A secret can be read back, as CRAM-MD5 needs it. */
bool smtp_users_readable(const struct smtp_users *self);
/* The library's handle; it asks the users for secrets by itself. */
Gsasl *smtp_users_sasl(const struct smtp_users *self);

#endif
