/*
 * The texts of the shapes: written from the documented formats, with a newline at the end of a
 * line. Private to shape.c.
 */
#ifndef DSND_TESTS_LOAD_SHAPE_TEXT_H
#define DSND_TESTS_LOAD_SHAPE_TEXT_H

extern const char shape_text_postfix_failed[];
extern const char shape_text_postfix_delayed[];
extern const char shape_text_postfix_delivered[];
extern const char shape_text_postfix_relayed[];
extern const char shape_text_exim_failed[];
extern const char shape_text_exim_delayed[];
extern const char shape_text_sendmail_failed[];
extern const char shape_text_sendmail_delayed[];
extern const char shape_text_exchange_failed[];
extern const char shape_text_powermta_failed[];
extern const char shape_text_complaint[];
extern const char shape_text_auto_reply[];

/* Headers of the campaign's message as it comes back. */
#define SHAPE_TEXT_RETURNED                                                                    \
    "Received: from app.sender.example (app.sender.example [192.0.2.10])\n"                    \
    "\tby mta1.sender.example (Postfix) with ESMTPS id {queue}\n"                              \
    "\tfor <{to}>; {date}\n"                                                                   \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=k1;\n"          \
    "\th=from:to:subject:date:message-id:list-unsubscribe; bh=47DEQpj8HBSa+/TImW+5JCeuQeR=;\n" \
    "\tb=q0l2n5pyX0v1FfT9u3wCkzZ5k7Qm8rN2bT4sV6xH8jK0mP2qS4uW6yA8cE0gI2kM4oQ6sU8wY\n"          \
    "\tA0eG2iK4mO6qS8uW0yB2dF4hJ6lN8pR0tV2xZ4bD6fH8jL0nP2rT4vX6zB8dF0hJ2lN4pR6tV8x\n"          \
    "From: \"Sender News\" <news@sender.example>\n"                                            \
    "To: {to}\n"                                                                               \
    "Subject: Your spring catalogue is here\n"                                                 \
    "Date: {date}\n"                                                                           \
    "Message-ID: <{id}.spring@sender.example>\n"                                               \
    "List-Unsubscribe: <https://sender.example/u/{id}>, <mailto:u-{id}@sender.example>\n"      \
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"                                      \
    "MIME-Version: 1.0\n"                                                                      \
    "Content-Type: text/html; charset=utf-8\n"                                                 \
    "Content-Transfer-Encoding: quoted-printable\n"

#endif
