#include "tests/load/shape_text.h"

#define POSTFIX_HEAD(subject, id)                                      \
    "Received: by mta1.sender.example (Postfix)\n"                     \
    "\tid {queue}; {date}\n"                                           \
    "Date: {date}\n"                                                   \
    "From: MAILER-DAEMON@mta1.sender.example (Mail Delivery System)\n" \
    "Subject: " subject "\n"                                           \
    "To: {return_path}\n"                                              \
    "Auto-Submitted: auto-replied\n"                                   \
    "MIME-Version: 1.0\n"                                              \
    "Content-Type: multipart/report; report-type=delivery-status;\n"   \
    "\tboundary=\"{queue}.{stamp}/mta1.sender.example\"\n"             \
    "Message-Id: <{id}." id "@mta1.sender.example>\n"                  \
    "\n"                                                               \
    "This is a MIME-encapsulated message.\n"                           \
    "\n"                                                               \
    "--{queue}.{stamp}/mta1.sender.example\n"                          \
    "Content-Description: Notification\n"                              \
    "Content-Type: text/plain; charset=us-ascii\n"                     \
    "\n"                                                               \
    "This is the mail system at host mta1.sender.example.\n"           \
    "\n"

#define POSTFIX_STATUS                          \
    "\n"                                        \
    "--{queue}.{stamp}/mta1.sender.example\n"   \
    "Content-Description: Delivery report\n"    \
    "Content-Type: message/delivery-status\n"   \
    "\n"                                        \
    "Reporting-MTA: dns; mta1.sender.example\n" \
    "X-Postfix-Queue-ID: {queue}\n"             \
    "X-Postfix-Sender: rfc822; {return_path}\n" \
    "Arrival-Date: {date}\n"                    \
    "\n"                                        \
    "Final-Recipient: rfc822; {recipient}\n"    \
    "Original-Recipient: rfc822;{recipient}\n"

#define POSTFIX_TAIL                                          \
    "\n"                                                      \
    "--{queue}.{stamp}/mta1.sender.example\n"                 \
    "Content-Description: Undelivered Message Headers\n"      \
    "Content-Type: text/rfc822-headers\n"                     \
    "\n"                                                      \
    "Return-Path: <{return_path}>\n" SHAPE_TEXT_RETURNED "\n" \
    "--{queue}.{stamp}/mta1.sender.example--\n"

const char shape_text_postfix_failed[] =
    POSTFIX_HEAD("Undelivered Mail Returned to Sender",
                 "failed") "I'm sorry to have to inform you that your message could not\n"
                           "be delivered to one or more recipients. It's attached below.\n"
                           "\n"
                           "<{recipient}>: host {mx}[192.0.2.77] said:\n"
                           "    {text} (in reply to RCPT TO command)\n" POSTFIX_STATUS
                           "Action: failed\n"
                           "Status: {status}\n"
                           "Remote-MTA: dns; {mx}\n"
                           "Diagnostic-Code: {type}; {text}\n" POSTFIX_TAIL;

const char shape_text_postfix_delayed[] =
    POSTFIX_HEAD("Delayed Mail (still being retried)",
                 "delayed") "####################################################################\n"
                            "# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n"
                            "####################################################################\n"
                            "\n"
                            "Your message could not be delivered for more than 4 hour(s).\n"
                            "It will be retried until it is 5 day(s) old.\n"
                            "\n"
                            "<{recipient}>: host {mx}[192.0.2.77] said: {text}\n" POSTFIX_STATUS
                            "Action: delayed\n"
                            "Status: {status}\n"
                            "Remote-MTA: dns; {mx}\n"
                            "Diagnostic-Code: {type}; {text}\n"
                            "Will-Retry-Until: {later}\n" POSTFIX_TAIL;

const char shape_text_postfix_delivered[] = POSTFIX_HEAD(
    "Successful Mail Delivery Report",
    "delivered") "Your message was successfully delivered to the destination(s)\n"
                 "listed below.\n"
                 "\n"
                 "<{recipient}>: delivery via {mx}[192.0.2.77]:25: 250 2.0.0 OK\n" POSTFIX_STATUS
                 "Action: delivered\n"
                 "Status: 2.0.0\n"
                 "Remote-MTA: dns; {mx}\n"
                 "Diagnostic-Code: smtp; 250 2.0.0 OK queued as {queue}\n" POSTFIX_TAIL;

const char shape_text_postfix_relayed[] = POSTFIX_HEAD(
    "Successful Mail Delivery Report",
    "relayed") "Your message was successfully delivered to the destination(s)\n"
               "listed below. No further notice will come: the next server sends none.\n"
               "\n"
               "<{recipient}>: delivery via {mx}[192.0.2.77]:25: 250 2.6.0 Queued\n" POSTFIX_STATUS
               "Action: relayed\n"
               "Status: 2.0.0\n"
               "Remote-MTA: dns; {mx}\n"
               "Diagnostic-Code: smtp; 250 2.6.0 Queued mail for delivery\n" POSTFIX_TAIL;
