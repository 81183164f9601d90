#include "tests/load/shape_text.h"

#define SENDMAIL_HEAD(subject, id)                                         \
    "Received: from localhost (localhost)\n"                               \
    "\tby mail3.sender.example (8.17.1/8.17.1) id {queue}; {date}\n"       \
    "Date: {date}\n"                                                       \
    "From: Mail Delivery Subsystem <MAILER-DAEMON@mail3.sender.example>\n" \
    "Message-Id: <{id}." id "@mail3.sender.example>\n"                     \
    "To: <{return_path}>\n"                                                \
    "MIME-Version: 1.0\n"                                                  \
    "Content-Type: multipart/report; report-type=delivery-status;\n"       \
    "\tboundary=\"{queue}.{stamp}/mail3.sender.example\"\n"                \
    "Subject: " subject "\n"                                               \
    "Auto-Submitted: auto-generated\n"                                     \
    "\n"                                                                   \
    "This is a MIME-encapsulated message\n"                                \
    "\n"                                                                   \
    "--{queue}.{stamp}/mail3.sender.example\n"                             \
    "\n"

#define SENDMAIL_STATUS(action, more)              \
    "\n"                                           \
    "--{queue}.{stamp}/mail3.sender.example\n"     \
    "Content-Type: message/delivery-status\n"      \
    "\n"                                           \
    "Reporting-MTA: dns; mail3.sender.example\n"   \
    "Received-From-MTA: DNS; app.sender.example\n" \
    "Arrival-Date: {date}\n"                       \
    "\n"                                           \
    "Original-Recipient: RFC822; {recipient}\n"    \
    "Final-Recipient: RFC822; {recipient}\n"       \
    "Action: " action "\n"                         \
    "Status: {status}\n"                           \
    "Remote-MTA: DNS; {mx}\n"                      \
    "Diagnostic-Code: {type}; {text}\n"            \
    "Last-Attempt-Date: {date}\n" more

#define SENDMAIL_TAIL                                         \
    "\n"                                                      \
    "--{queue}.{stamp}/mail3.sender.example\n"                \
    "Content-Type: message/rfc822\n"                          \
    "\n"                                                      \
    "Return-Path: <{return_path}>\n" SHAPE_TEXT_RETURNED "\n" \
    "<p>Spring is here, and so is our new catalogue.</p>\n"   \
    "\n"                                                      \
    "--{queue}.{stamp}/mail3.sender.example--\n"

const char shape_text_sendmail_failed[] =
    SENDMAIL_HEAD("Returned mail: see transcript for details",
                  "failed") "The original message was received at {date}\n"
                            "from app.sender.example [192.0.2.10]\n"
                            "\n"
                            "   ----- The following addresses had permanent fatal errors -----\n"
                            "<{recipient}>\n"
                            "    (reason: {text})\n"
                            "\n"
                            "   ----- Transcript of session follows -----\n"
                            "... while talking to {mx}.:\n"
                            ">>> RCPT To:<{recipient}>\n"
                            "<<< {text}\n" SENDMAIL_STATUS("failed", "") SENDMAIL_TAIL;

const char shape_text_sendmail_delayed[] =
    SENDMAIL_HEAD("Warning: could not send message for past 4 hours",
                  "delayed") "    **********************************************\n"
                             "    **      THIS IS A WARNING MESSAGE ONLY      **\n"
                             "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n"
                             "    **********************************************\n"
                             "\n"
                             "The original message was received at {date}\n"
                             "from app.sender.example [192.0.2.10]\n"
                             "\n"
                             "   ----- Transcript of session follows -----\n"
                             "<{recipient}>... Deferred: {text}\n"
                             "Warning: message still undelivered after 4 hours\n"
                             "Will keep trying until message is 5 days old\n" SENDMAIL_STATUS(
                                 "delayed", "Will-Retry-Until: {later}\n") SENDMAIL_TAIL;
