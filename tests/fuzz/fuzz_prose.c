/* Arbitrary octets as the prose of a bounce that has no machine-readable part. */
#include "fuzz_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_body("From: MAILER-DAEMON@mx.example\nTo: bounces@b.example\n"
              "Subject: Undelivered Mail Returned to Sender\n"
              "Content-Type: text/plain; charset=utf-8\n\n",
              data, size);
    return 0;
}
