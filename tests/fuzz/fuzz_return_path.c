/*
 * Reads arbitrary octets as a return path, as a keys file, and as what to mint. Properties: nothing
 * that was not minted is signed; what is minted verifies, whatever the case of its letters, says
 * what it was minted for, and does not verify once an octet before the @ is another.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "parse/return_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now_us = INT64_C(1795000000) * DSND_US_PER_S;
static const struct return_path_keys keys = {.key = {{'k', {1, 2, 3}}, {'2', {4, 5, 6}}},
                                             .count = 2};

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static enum return_path_verdict verdict_of(struct dsnd_str address)
{
    struct return_path path;

    return_path_verify(&keys, address, now_us, 60 * DSND_US_PER_DAY, &path);
    if (path.verdict != RETURN_PATH_NONE)
        require(path.campaign[0] && path.ref[0]);
    return path.verdict;
}

static void check_minted(const char *address, const struct return_path_request *request,
                         size_t change)
{
    char copy[RETURN_PATH_SIZE];
    size_t len = strlen(address);
    size_t local = dsnd_str_rchr(dsnd_str_of(address), '@');
    struct return_path path;

    require(local <= RETURN_PATH_LOCAL_MAX);
    return_path_verify(&keys, dsnd_str_of(address), now_us, DSND_US_PER_DAY, &path);
    require(path.verdict == RETURN_PATH_SIGNED);
    require(dsnd_str_ieq(dsnd_str_of(path.campaign), request->campaign));
    if (!request->ref.len)
        require(path.ref_is_hash && return_path_proves(&path, request->recipient));
    for (size_t i = 0; i <= len; i++)
        copy[i] = address[i] >= 'a' && address[i] <= 'z' ? (char)(address[i] - 32) : address[i];
    require(verdict_of(dsnd_str_of(copy)) == RETURN_PATH_SIGNED);
    memcpy(copy, address, len + 1);
    copy[change % local] = copy[change % local] == 'x' ? 'y' : 'x';
    require(verdict_of(dsnd_str_of(copy)) != RETURN_PATH_SIGNED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_str text = dsnd_str_make((const char *)data, size);
    struct dsnd_str rest = text;
    struct return_path_request request = {.campaign = dsnd_str_cut(&rest, ' '),
                                          .recipient = dsnd_str_cut(&rest, ' '),
                                          .domain = dsnd_str_cut(&rest, ' '),
                                          .ref = rest};
    static struct return_path_keys read;
    char address[RETURN_PATH_SIZE];
    char error[200];

    require(verdict_of(text) != RETURN_PATH_SIGNED);
    if (return_path_keys_read(text, error, sizeof(error), &read) == DSND_OK)
        require(read.count <= RETURN_PATH_KEYS_MAX);
    if (request.recipient.len && return_path_mint(&keys, &request, now_us, address) == DSND_OK)
        check_minted(address, &request, size);
    return 0;
}
