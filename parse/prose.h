/*
 * Delivery reports in prose: bounces and delay warnings without a machine-readable part. An engine
 * over tables of phrases (prose.def), no code for single vendors. One thread, linear.
 *
 * Order of the readers: delivery-status parts, ARF, MDN, this one, automatic responses. MTAs mark
 * their reports with the headers of automatic responses; this reader asks for proof that those do
 * not have.
 */
#ifndef DSND_PARSE_PROSE_H
#define DSND_PARSE_PROSE_H

#include <stdbool.h>

#include "parse/draft.h"
#include "parse/mime.h"

/*
 * Read a report in prose: kind, and each recipient with action, codes, text and remote host. Needs
 * the report's `subject`, `from` and `returned`. Where a failure names nobody, the only address the
 * returned message was sent to is taken, else a recipient without address is added with
 * REPORT_WARNING_NO_RECIPIENT. False, and nothing read, where the message is no report.
 */
bool prose_read(struct draft *draft, const struct mime_message *mime);

#endif
