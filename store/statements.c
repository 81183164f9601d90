#include "store/statements.h"

const struct statement_text statement_texts[STATEMENT_COUNT] = {
#define STATEMENT_ROW(id, sql) [STATEMENT_##id] = {#id, sql},
    STATEMENTS_WRITE(STATEMENT_ROW) STATEMENTS_QUERY(STATEMENT_ROW)
        STATEMENTS_RECEIPT(STATEMENT_ROW) STATEMENTS_WEBHOOK(STATEMENT_ROW)
#undef STATEMENT_ROW
};
