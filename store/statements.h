/*
 * Every statement there is, by name: the writer's in statements_write.h, the reader's in
 * statements_query.h, those of incidents, receipts and webhooks in files of their own. A test
 * prepares each of them against the migrated schema. Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_H
#define DSND_STORE_STATEMENTS_H

#include "store/statements_incident.h"
#include "store/statements_log.h"
#include "store/statements_query.h"
#include "store/statements_policy.h"
#include "store/statements_receipt.h"
#include "store/statements_reclassify.h"
#include "store/statements_webhook.h"
#include "store/statements_write.h"

enum statement {
#define STATEMENT_ROW(id, sql) STATEMENT_##id,
    STATEMENTS_WRITE(STATEMENT_ROW) STATEMENTS_INCIDENT(STATEMENT_ROW)
        STATEMENTS_QUERY(STATEMENT_ROW) STATEMENTS_RECEIPT(STATEMENT_ROW)
            STATEMENTS_WEBHOOK(STATEMENT_ROW) STATEMENTS_RECLASSIFY(STATEMENT_ROW)
                STATEMENTS_LOG(STATEMENT_ROW) STATEMENTS_POLICY(STATEMENT_ROW)
#undef STATEMENT_ROW
                    STATEMENT_COUNT
};

/* Name in the session, and text. */
struct statement_text {
    const char *name;
    const char *sql;
};

extern const struct statement_text statement_texts[STATEMENT_COUNT];

#endif
