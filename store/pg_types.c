#include <stdio.h>
#include <stdlib.h>

#include "store/pg.h"

#ifdef NDEBUG

enum dsnd_err pg_types_learn(struct store_conn *self, enum statement statement)
{
    (void)self;
    (void)statement;
    return DSND_OK;
}

void pg_types_check(const struct store_conn *self, enum statement statement,
                    const struct pg_params *params)
{
    (void)self;
    (void)statement;
    (void)params;
}

#else

enum dsnd_err pg_types_learn(struct store_conn *self, enum statement statement)
{
    PGresult *result = NULL;
    enum dsnd_err err = DSND_OK;

    if (!self->types)
        self->types = calloc(STATEMENT_COUNT, sizeof(*self->types));
    if (!self->types)
        return DSND_ERR_NOMEM;
    if (!PQsendDescribePrepared(self->pg, statement_texts[statement].name)) {
        self->broken = true;
        return DSND_ERR_UNAVAILABLE;
    }
    err = pg_answer(self, &result);
    for (int i = 0; !err && i < PQnparams(result) && i < PG_PARAMS_MAX; i++)
        self->types[statement][i] = PQparamtype(result, i);
    PQclear(result);
    return err;
}

void pg_types_check(const struct store_conn *self, enum statement statement,
                    const struct pg_params *params)
{
    for (int i = 0; params && i < params->count; i++) {
        if (!params->type[i] || params->type[i] == self->types[statement][i])
            continue;
        (void)fprintf(stderr, "%s: $%d has type %u and is sent as %u\n",
                      statement_texts[statement].name, i + 1, self->types[statement][i],
                      params->type[i]);
        abort();
    }
}

#endif
