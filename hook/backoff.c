#include "hook/backoff.h"

enum { FIRST_MS = 5000, DOUBLINGS_MAX = 12 };

int64_t hook_backoff_ms(int64_t failures, uint32_t random)
{
    int64_t doublings = failures < 0 ? 0 : failures > DOUBLINGS_MAX ? DOUBLINGS_MAX : failures;
    int64_t wait = (int64_t)FIRST_MS << doublings;

    if (wait > HOOK_BACKOFF_MAX_MS)
        wait = HOOK_BACKOFF_MAX_MS;
    return wait + (int64_t)(random % 1024) * wait / 5120;
}
