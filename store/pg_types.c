#include <stdio.h>
#include <stdlib.h>

#include "store/pg.h"

enum dsnd_err pg_types_note(struct store_conn *self, enum statement statement,
                            const PGresult *described)
{
    if (!self->types)
        self->types = calloc(STATEMENT_COUNT, sizeof(*self->types));
    if (!self->types)
        return DSND_ERR_NOMEM;
    for (int i = 0; i < PQnparams(described) && i < PG_PARAMS_MAX; i++)
        self->types[statement][i] = PQparamtype(described, i);
    return DSND_OK;
}

void pg_types_check(const struct store_conn *self, enum statement statement,
                    const struct pg_params *params)
{
    for (int i = 0; self->types && params && i < params->count; i++) {
        if (!params->type[i] || params->type[i] == self->types[statement][i])
            continue;
        (void)fprintf(stderr, "%s: $%d has type %u and is sent as %u\n",
                      statement_texts[statement].name, i + 1, self->types[statement][i],
                      params->type[i]);
        abort();
    }
}
