#include "ingest/smtp_reply.h"

#include <assert.h>
#include <stdarg.h>

#define NONE SMTP_REPLY_UNCOUNTED
#define SYNTAX METRIC_SMTP_REJECT_SYNTAX
#define SEQUENCE METRIC_SMTP_REJECT_SEQUENCE
#define OTHER METRIC_SMTP_REJECT_OTHER

static const struct smtp_reply_text replies[SMTP_REPLY_COUNT] = {
    [SMTP_REPLY_OK] = {250, "2.0.0", "Ok", "ok", NONE},
    [SMTP_REPLY_BYE] = {221, "2.0.0", "Bye", "bye", NONE},
    [SMTP_REPLY_SENDER_OK] = {250, "2.1.0", "Sender ok", "ok", NONE},
    [SMTP_REPLY_RECIPIENT_OK] = {250, "2.1.5", "Recipient ok", "ok", NONE},
    [SMTP_REPLY_CHUNK_OK] = {250, "2.0.0", "Chunk received", "ok", NONE},
    [SMTP_REPLY_RESET] = {250, "2.0.0", "Forgotten", "ok", NONE},
    [SMTP_REPLY_CANNOT_VERIFY] = {252, "2.0.0", "Send mail and see", "ok", NONE},
    [SMTP_REPLY_HELP] = {214, "2.0.0", "Delivery reports only; RFC 5321 tells the rest", "ok",
                         NONE},
    [SMTP_REPLY_GO_AHEAD] = {354, "", "End with <CR><LF>.<CR><LF>", "ok", NONE},
    [SMTP_REPLY_START_TLS] = {220, "2.0.0", "Ready to start TLS", "ok", NONE},
    [SMTP_REPLY_AUTH_OK] = {235, "2.7.0", "Authenticated", "ok", NONE},
    [SMTP_REPLY_AUTH_CHALLENGE] = {334, "", "", "ok", NONE},
    [SMTP_REPLY_TIMEOUT] = {421, "4.4.2", "Timeout", "timeout", METRIC_SMTP_TIMEOUTS},
    [SMTP_REPLY_TOO_SLOW] = {421, "4.4.2", "Data arrives too slowly", "too_slow",
                             METRIC_SMTP_TIMEOUTS},
    [SMTP_REPLY_SHUTDOWN] = {421, "4.3.2", "Shutting down, come back soon", "shutdown", NONE},
    [SMTP_REPLY_EVICTED] = {421, "4.3.2", "Too busy for silent sessions", "evicted", NONE},
    [SMTP_REPLY_HOLDS_MEMORY] = {421, "4.3.1", "Too much mail in progress, yours too slowly",
                                 "holds_memory", METRIC_SMTP_EVICTED_MEMORY},
    [SMTP_REPLY_FULL] = {421, "4.3.2", "Too many sessions", "full", NONE},
    [SMTP_REPLY_CLIENT_LIMIT] = {421, "4.7.0", "Too many sessions from your address", "per_client",
                                 NONE},
    [SMTP_REPLY_CLIENT_RATE] = {421, "4.7.0", "Too many connections or errors, try later",
                                "client_rate", NONE},
    [SMTP_REPLY_TOO_MANY_ERRORS] = {421, "4.7.0", "Too many errors", "too_many_errors",
                                    METRIC_SMTP_REJECT_ERRORS},
    [SMTP_REPLY_JOURNAL_FAILED] = {451, "4.3.0", "Cannot store the message now", "journal",
                                   METRIC_SMTP_REJECT_JOURNAL},
    [SMTP_REPLY_MESSAGE_RATE] = {450, "4.7.1", "Too much mail, try later", "message_rate",
                                 METRIC_SMTP_REJECT_RATE},
    [SMTP_REPLY_NO_SPACE] = {452, "4.3.1", "Too little disk space", "disk",
                             METRIC_SMTP_REJECT_DISK},
    [SMTP_REPLY_NO_MEMORY] = {452, "4.3.1", "Too much mail in progress", "memory",
                              METRIC_SMTP_REJECT_MEMORY},
    [SMTP_REPLY_TOO_MANY_RECIPIENTS] = {452, "4.5.3", "Too many recipients", "too_many_recipients",
                                        METRIC_SMTP_REJECT_RECIPIENTS},
    [SMTP_REPLY_TLS_UNAVAILABLE] = {454, "4.7.0", "TLS is not available now", "tls_unavailable",
                                    OTHER},
    [SMTP_REPLY_AUTH_UNAVAILABLE] = {454, "4.7.0", "Cannot authenticate now", "auth_unavailable",
                                     OTHER},
    [SMTP_REPLY_UNKNOWN_COMMAND] = {500, "5.5.1", "Unknown command", "unknown_command", SYNTAX},
    [SMTP_REPLY_BAD_LINE] = {500, "5.5.2", "Not a command line", "bad_line", SYNTAX},
    [SMTP_REPLY_BARE_IN_COMMAND] = {500, "5.5.2", "Bare <CR> or <LF> in a command", "bare_newline",
                                    METRIC_SMTP_REJECT_BARE_NEWLINE},
    [SMTP_REPLY_LINE_TOO_LONG] = {500, "5.5.2", "Line too long", "line_too_long", SYNTAX},
    [SMTP_REPLY_AUTH_TOO_LONG] = {500, "5.5.6", "Authentication line too long", "line_too_long",
                                  SYNTAX},
    [SMTP_REPLY_NO_ARGUMENT_ALLOWED] = {501, "5.5.4", "No argument is allowed here", "argument",
                                        SYNTAX},
    [SMTP_REPLY_ARGUMENT_NEEDED] = {501, "5.5.4", "An argument is needed", "argument", SYNTAX},
    [SMTP_REPLY_HELO_SYNTAX] = {501, "5.5.4", "A domain or address literal is needed", "helo",
                                SYNTAX},
    [SMTP_REPLY_SENDER_SYNTAX] = {501, "5.1.7", "Bad syntax, want MAIL FROM:<address>",
                                  "sender_syntax", SYNTAX},
    [SMTP_REPLY_RECIPIENT_SYNTAX] = {501, "5.1.3", "Bad syntax, want RCPT TO:<address>",
                                     "recipient_syntax", SYNTAX},
    [SMTP_REPLY_SENDER_TOO_LONG] = {501, "5.1.7", "Sender's address too long", "path_too_long",
                                    SYNTAX},
    [SMTP_REPLY_PATH_TOO_LONG] = {501, "5.1.3", "Path too long", "path_too_long", SYNTAX},
    [SMTP_REPLY_PARAMETER_SYNTAX] = {501, "5.5.4", "Bad or repeated parameter", "parameter",
                                     SYNTAX},
    [SMTP_REPLY_CHUNK_SYNTAX] = {501, "5.5.4", "Want BDAT size [LAST]", "chunk", SYNTAX},
    [SMTP_REPLY_AUTH_SYNTAX] = {501, "5.5.2", "Bad base64, or a response where none may be",
                                "auth_syntax", SYNTAX},
    [SMTP_REPLY_AUTH_CANCELLED] = {501, "5.7.0", "Authentication cancelled", "auth_cancelled",
                                   OTHER},
    [SMTP_REPLY_NOT_OFFERED] = {502, "5.5.1", "Not offered here", "not_offered", SYNTAX},
    [SMTP_REPLY_NO_HELO] = {503, "5.5.1", "Say EHLO first", "no_helo", SEQUENCE},
    [SMTP_REPLY_NO_MAIL] = {503, "5.5.1", "Say MAIL first", "no_mail", SEQUENCE},
    [SMTP_REPLY_NO_RECIPIENT] = {503, "5.5.1", "No valid recipients", "no_recipient", SEQUENCE},
    [SMTP_REPLY_NESTED_MAIL] = {503, "5.5.1", "A transaction is open", "nested_mail", SEQUENCE},
    [SMTP_REPLY_BAD_SEQUENCE] = {503, "5.5.1", "Not now", "bad_sequence", SEQUENCE},
    [SMTP_REPLY_BINARY_NEEDS_BDAT] = {503, "5.5.1", "BODY=BINARYMIME needs BDAT",
                                      "binary_needs_bdat", SEQUENCE},
    [SMTP_REPLY_TLS_PIPELINED] = {503, "5.5.1", "Nothing may follow STARTTLS", "tls_pipelined",
                                  SEQUENCE},
    [SMTP_REPLY_AUTH_TWICE] = {503, "5.5.1", "Already authenticated", "auth_twice", SEQUENCE},
    [SMTP_REPLY_AUTH_MECHANISM] = {504, "5.5.4", "Unknown mechanism", "auth_mechanism", SYNTAX},
    [SMTP_REPLY_AUTH_REQUIRED] = {530, "5.7.0", "Authentication required", "auth_required",
                                  SEQUENCE},
    [SMTP_REPLY_AUTH_FAILED] = {535, "5.7.8", "Authentication failed", "auth_failed",
                                METRIC_SMTP_REJECT_AUTH},
    [SMTP_REPLY_AUTH_NEEDS_TLS] = {538, "5.7.11", "Authentication needs TLS", "auth_needs_tls",
                                   SEQUENCE},
    [SMTP_REPLY_RELAY_DENIED] = {550, "5.7.1", "We take no mail for this domain", "relay",
                                 METRIC_SMTP_REJECT_RELAY},
    [SMTP_REPLY_UNSIGNED] = {550, "5.1.1", "No such return path", "unsigned",
                             METRIC_SMTP_REJECT_UNSIGNED},
    [SMTP_REPLY_FORGED] = {550, "5.1.1", "No such return path", "forged",
                           METRIC_SMTP_REJECT_FORGED},
    [SMTP_REPLY_EXPIRED] = {550, "5.1.1", "Return path has expired", "expired",
                            METRIC_SMTP_REJECT_EXPIRED},
    [SMTP_REPLY_NOTIFY_SUCCESS] = {550, "5.7.1", "We notify no one of success", "notify_success",
                                   METRIC_SMTP_REJECT_NOTIFY},
    [SMTP_REPLY_BARE_CR] = {550, "5.5.2", "Message holds a bare <CR>", "bare_newline",
                            METRIC_SMTP_REJECT_BARE_NEWLINE},
    [SMTP_REPLY_BARE_LF] = {550, "5.5.2", "Message holds a bare <LF>", "bare_newline",
                            METRIC_SMTP_REJECT_BARE_NEWLINE},
    [SMTP_REPLY_TOO_LARGE] = {552, "5.3.4", "Message too large", "size", METRIC_SMTP_REJECT_SIZE},
    [SMTP_REPLY_NEEDS_UTF8] = {553, "5.6.7", "Address needs SMTPUTF8", "needs_smtputf8", SYNTAX},
    [SMTP_REPLY_LOOP] = {554, "5.4.6", "Too many hops", "loop", METRIC_SMTP_REJECT_HOPS},
    [SMTP_REPLY_NOT_SMTP] = {554, "5.5.1", "This is SMTP", "not_smtp", METRIC_SMTP_REJECT_FOREIGN},
    [SMTP_REPLY_NOT_TLS] = {554, "5.5.1", "No TLS from the first octet here", "not_tls",
                            METRIC_SMTP_REJECT_NOT_TLS},
    [SMTP_REPLY_EARLY_TALKER] = {554, "5.5.1", "Wait for the greeting", "early_talker",
                                 METRIC_SMTP_REJECT_EARLY},
    [SMTP_REPLY_UNKNOWN_PARAMETER] = {555, "5.5.4", "Unknown parameter", "unknown_parameter",
                                      SYNTAX},
};

const struct smtp_reply_text *smtp_reply_text(enum smtp_reply reply)
{
    assert(reply < SMTP_REPLY_COUNT);
    return &replies[reply];
}

enum dsnd_err smtp_reply_add(struct dsnd_buf *out, enum smtp_reply reply)
{
    const struct smtp_reply_text *row = smtp_reply_text(reply);

    return smtp_reply_addf(out, row->code, ' ', "%s%s%s", row->enhanced, *row->enhanced ? " " : "",
                           row->text);
}

enum dsnd_err smtp_reply_addf(struct dsnd_buf *out, unsigned code, char separator,
                              const char *format, ...)
{
    char text[SMTP_REPLY_LINE_MAX - 5]; /* without code, separator and CR LF, with NUL */
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* what does not fit is cut */
    va_end(args);
    return dsnd_buf_addf(out, "%03u%c%s\r\n", code, separator, text);
}
