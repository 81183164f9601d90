#include "tests/load/shape_text.h"

#define EXIM_HEAD(subject, id, failed)                                                             \
    "Received: from Debian-exim by mx2.sender.example with local (Exim 4.96)\n"                    \
    "\tid 1{queue}-0001; {date}\n" failed "Auto-Submitted: auto-replied\n"                         \
    "From: Mail Delivery System <Mailer-Daemon@mx2.sender.example>\n"                              \
    "To: {return_path}\n"                                                                          \
    "References: <{id}.spring@sender.example>\n"                                                   \
    "Content-Type: multipart/report; report-type=delivery-status; boundary={stamp}-eximdsn-{id}\n" \
    "MIME-Version: 1.0\n"                                                                          \
    "Subject: " subject "\n"                                                                       \
    "Message-Id: <E1{queue}-" id "-{id}@mx2.sender.example>\n"                                     \
    "Date: {date}\n"                                                                               \
    "\n"                                                                                           \
    "--{stamp}-eximdsn-{id}\n"                                                                     \
    "Content-type: text/plain; charset=us-ascii\n"                                                 \
    "\n"

#define EXIM_STATUS(action)                    \
    "\n"                                       \
    "--{stamp}-eximdsn-{id}\n"                 \
    "Content-type: message/delivery-status\n"  \
    "\n"                                       \
    "Reporting-MTA: dns; mx2.sender.example\n" \
    "\n"                                       \
    "Action: " action "\n"                     \
    "Final-Recipient: rfc822;{recipient}\n"    \
    "Status: {status}\n"                       \
    "Remote-MTA: dns; {mx}\n"                  \
    "Diagnostic-Code: {type}; {text}\n"

#define EXIM_TAIL                                             \
    "\n"                                                      \
    "--{stamp}-eximdsn-{id}\n"                                \
    "Content-type: message/rfc822\n"                          \
    "\n"                                                      \
    "Return-path: <{return_path}>\n" SHAPE_TEXT_RETURNED "\n" \
    "<p>Spring is here, and so is our new catalogue.</p>\n"   \
    "\n"                                                      \
    "--{stamp}-eximdsn-{id}--\n"

const char shape_text_exim_failed[] =
    EXIM_HEAD("Mail delivery failed: returning message to sender", "failed",
              "X-Failed-Recipients: {recipient}\n") "This message was created automatically by "
                                                    "mail delivery software.\n"
                                                    "\n"
                                                    "A message that you sent could not be "
                                                    "delivered to one or more of its\n"
                                                    "recipients. This is a permanent error. The "
                                                    "following address(es) failed:\n"
                                                    "\n"
                                                    "  {recipient}\n"
                                                    "    host {mx} [192.0.2.77]\n"
                                                    "    SMTP error from remote mail server after "
                                                    "RCPT TO:<{recipient}>:\n"
                                                    "    {text}\n" EXIM_STATUS("failed") EXIM_TAIL;

const char shape_text_exim_delayed[] =
    EXIM_HEAD("Warning: message 1{queue}-0001 delayed 24 hours", "delayed",
              "") "This message was created automatically by mail delivery software.\n"
                  "A message that you sent has not yet been delivered to one or more of its\n"
                  "recipients after more than 24 hours on the queue on mx2.sender.example.\n"
                  "\n"
                  "The address to which the message has not yet been delivered is:\n"
                  "\n"
                  "  {recipient}\n"
                  "    host {mx} [192.0.2.77]\n"
                  "    Delay reason: {text}\n"
                  "\n"
                  "No action is required on your part. Delivery attempts will continue for\n"
                  "some time, and this warning may be repeated at intervals if the message\n"
                  "remains undelivered.\n" EXIM_STATUS("delayed") EXIM_TAIL;
