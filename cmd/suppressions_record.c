#include "cmd/suppressions_record.h"

/* What two records and the line behind them can be. */
enum { AGAIN_MAX = 4 * RECORD_OCTETS_MAX };

void record_reader_init(struct record_reader *self, FILE *file)
{
    *self = (struct record_reader){
        .file = file,
        .text = DSND_BUF_INIT(RECORD_OCTETS_MAX),
        .line = DSND_BUF_INIT(RECORD_OCTETS_MAX),
        .again = DSND_BUF_INIT(AGAIN_MAX),
    };
}

void record_reader_done(struct record_reader *self)
{
    dsnd_buf_done(&self->text);
    dsnd_buf_done(&self->line);
    dsnd_buf_done(&self->again);
}

/* ---- lines ---- */

static int next_octet(struct record_reader *self)
{
    if (self->again_at < self->again.len)
        return (unsigned char)self->again.ptr[self->again_at++];
    return getc_unlocked(self->file);
}

/* What programs of Windows put before UTF-8. */
static void drop_mark(struct dsnd_buf *line)
{
    if (dsnd_str_starts(dsnd_buf_str(line), DSND_STR("\xef\xbb\xbf")))
        dsnd_buf_consume(line, 3);
}

/* With its LF, where it has one; RECORD_END, RECORD_WHOLE or RECORD_LONG. */
static enum dsnd_err read_line(struct record_reader *self, enum record_got *ret_got)
{
    enum dsnd_err err = DSND_OK;
    int octet;

    dsnd_buf_clear(&self->line);
    *ret_got = RECORD_END;
    do {
        octet = next_octet(self);
        if (octet == EOF)
            break;
        if (*ret_got != RECORD_LONG)
            err = dsnd_buf_add_char(&self->line, (char)octet);
        *ret_got = err || *ret_got == RECORD_LONG ? RECORD_LONG : RECORD_WHOLE;
        if (err == DSND_ERR_LIMIT)
            err = DSND_OK;
    } while (!err && octet != '\n');
    if (*ret_got != RECORD_END && ++self->number == 1)
        drop_mark(&self->line);
    return !err && octet == EOF && ferror(self->file) ? DSND_ERR_IO : err;
}

/* ---- quotes ---- */

enum place {
    PLACE_CELL, /* a cell begins */
    PLACE_PLAIN,
    PLACE_QUOTED,
    PLACE_QUOTE, /* behind a quote in a quoted cell: its end, or the first of two */
    PLACE_NONE,  /* behind what cannot follow the end of a quoted cell */
};

static enum place move(enum place at, char c)
{
    if (at == PLACE_NONE)
        return PLACE_NONE;
    if (at == PLACE_QUOTED)
        return c == '"' ? PLACE_QUOTE : PLACE_QUOTED;
    if (c == '"' && at != PLACE_PLAIN)
        return PLACE_QUOTED;
    if (c == ',' || c == '\n')
        return PLACE_CELL;
    return at != PLACE_QUOTE ? PLACE_PLAIN : c == '\r' ? PLACE_QUOTE : PLACE_NONE;
}

static enum place move_all(enum place at, struct dsnd_str text)
{
    for (size_t i = 0; i < text.len; i++)
        at = move(at, text.ptr[i]);
    return at;
}

/* ---- records ---- */

/* The first line is the record, and the others, and `line`, are read again. */
static enum dsnd_err put_back(struct record_reader *self)
{
    struct dsnd_buf again = DSND_BUF_INIT(AGAIN_MAX);
    struct dsnd_str text = dsnd_buf_str(&self->text);
    size_t end = dsnd_str_chr(text, '\n');
    enum dsnd_err err = DSND_OK;

    if (end != SIZE_MAX)
        err = dsnd_buf_add(&again, dsnd_str_slice(text, end + 1, text.len));
    if (!err)
        err = dsnd_buf_add(&again, dsnd_buf_str(&self->line));
    if (!err && self->line.len > 0 && self->line.ptr[self->line.len - 1] != '\n')
        err = dsnd_buf_add_char(&again, '\n'); /* the end of a line too long is not there */
    if (!err)
        err = dsnd_buf_add(
            &again, dsnd_str_slice(dsnd_buf_str(&self->again), self->again_at, self->again.len));
    dsnd_buf_done(&self->again);
    self->again = again;
    self->again_at = 0;
    self->number = self->first;
    return err;
}

/* Lines to the one that closes the quote, as the end of a cell; none where there is no such one. */
static enum dsnd_err read_quoted(struct record_reader *self, enum record_got *ret_got)
{
    enum place at = move_all(PLACE_CELL, dsnd_buf_str(&self->text));
    enum dsnd_err err = DSND_OK;

    while (!err && at == PLACE_QUOTED && *ret_got == RECORD_WHOLE) {
        err = read_line(self, ret_got);
        if (err)
            return err;
        at = move_all(at, dsnd_buf_str(&self->line));
        if (*ret_got == RECORD_WHOLE && at != PLACE_NONE)
            err = dsnd_buf_add(&self->text, dsnd_buf_str(&self->line));
        if (err == DSND_ERR_LIMIT || *ret_got != RECORD_WHOLE || at == PLACE_NONE) {
            *ret_got = RECORD_OPEN;
            err = put_back(self);
        }
    }
    return err;
}

enum dsnd_err record_next(struct record_reader *self, enum record_got *ret_got)
{
    enum dsnd_err err = read_line(self, ret_got);

    self->first = self->number;
    dsnd_buf_clear(&self->text);
    if (err || *ret_got != RECORD_WHOLE)
        return err;
    err = dsnd_buf_add(&self->text, dsnd_buf_str(&self->line));
    /* JSON has quotes of its own, and no line end within them. */
    if (err || dsnd_str_starts(dsnd_str_trim(dsnd_buf_str(&self->text)), DSND_STR("{")))
        return err;
    return read_quoted(self, ret_got);
}
