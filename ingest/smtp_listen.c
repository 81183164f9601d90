#include "ingest/smtp_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    INHERITED_FIRST = 3,
    SOCKET_MODE = 0666, /* whatever the umask: the mail server runs under another account */
};

static enum dsnd_err parse_unix(struct dsnd_str text, struct smtp_address *ret_address)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&ret_address->storage;

    un->sun_family = AF_UNIX;
    ret_address->len = sizeof(*un);
    return dsnd_str_copy(text, un->sun_path, sizeof(un->sun_path));
}

static enum dsnd_err parse_tcp(struct dsnd_str text, struct smtp_address *ret_address)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    size_t colon = dsnd_str_rchr(text, ':');
    struct dsnd_str host = dsnd_str_slice(text, 0, colon);
    struct addrinfo *found = NULL;
    char host_text[256];
    char port_text[8];
    uint64_t port;

    if (colon == SIZE_MAX || !host.len ||
        dsnd_str_to_u64(dsnd_str_slice(text, colon + 1, text.len), 65535, &port))
        return DSND_ERR_SYNTAX;
    if (host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = dsnd_str_slice(host, 1, host.len - 1);
    if (dsnd_str_copy(host, host_text, sizeof(host_text)))
        return DSND_ERR_SYNTAX;
    (void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
    if (getaddrinfo(host_text, port_text, &hints, &found) != 0)
        return DSND_ERR_SYNTAX;
    memcpy(&ret_address->storage, found->ai_addr, found->ai_addrlen);
    ret_address->len = found->ai_addrlen;
    freeaddrinfo(found);
    return DSND_OK;
}

static enum dsnd_err parse_one(struct dsnd_str text, struct smtp_address *ret_address)
{
    return text.ptr[0] == '/' ? parse_unix(text, ret_address) : parse_tcp(text, ret_address);
}

enum dsnd_err smtp_listen_parse(const char *text, enum smtp_kind kind, char *error,
                                size_t error_size, struct smtp_addresses *addresses)
{
    struct dsnd_str rest = dsnd_str_of(text ? text : "");

    while (dsnd_str_present(rest)) {
        struct dsnd_str one = dsnd_str_trim(dsnd_str_cut(&rest, ','));
        struct smtp_address address = {.kind = kind};

        if (!one.len)
            continue;
        if (addresses->count == SMTP_ADDRESSES_MAX) {
            (void)snprintf(error, error_size, "more than %d addresses to listen on",
                           SMTP_ADDRESSES_MAX);
            return DSND_ERR_LIMIT;
        }
        if (parse_one(one, &address)) {
            (void)snprintf(error, error_size,
                           "\"%.*s\" is no address: host:port, [v6]:port or /path is allowed",
                           DSND_STR_ARG(one));
            return DSND_ERR_SYNTAX;
        }
        addresses->at[addresses->count++] = address;
    }
    return DSND_OK;
}

static enum dsnd_err bind_and_listen(int fd, struct smtp_address *address)
{
    struct sockaddr *sa = (struct sockaddr *)&address->storage;
    int on = 1;

    if (sa->sa_family == AF_UNIX) {
        const char *path = ((struct sockaddr_un *)(void *)sa)->sun_path;
        struct stat st;

        if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && unlink(path) != 0)
            return DSND_ERR_IO;
    } else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
               setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
        return DSND_ERR_IO;
    }
    if (sa->sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
        return DSND_ERR_IO;
    if (bind(fd, sa, address->len) != 0 || listen(fd, BACKLOG) != 0)
        return DSND_ERR_IO;
    if (sa->sa_family == AF_UNIX)
        return chmod(((struct sockaddr_un *)(void *)sa)->sun_path, SOCKET_MODE) ? DSND_ERR_IO
                                                                                : DSND_OK;
    if (getsockname(fd, sa, &address->len) != 0)
        return DSND_ERR_IO;
    return DSND_OK;
}

enum dsnd_err smtp_listen_open(struct smtp_address *address, int *ret_fd)
{
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    enum dsnd_err err;

    if (fd < 0)
        return DSND_ERR_IO;
    err = bind_and_listen(fd, address);
    if (err) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return err;
    }
    *ret_fd = fd;
    return DSND_OK;
}

/* `fd` is a stream socket that listens on `address`. */
static bool listens_on(int fd, const struct smtp_address *address)
{
    struct smtp_address own = {.len = sizeof(own.storage)};
    struct sockaddr_un *a = (struct sockaddr_un *)&own.storage;
    const struct sockaddr_un *b = (const struct sockaddr_un *)&address->storage;
    socklen_t len = sizeof(int);
    int listening = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening ||
        getsockname(fd, (struct sockaddr *)&own.storage, &own.len) != 0 ||
        own.storage.ss_family != address->storage.ss_family)
        return false;
    if (own.storage.ss_family == AF_UNIX)
        return strcmp(a->sun_path, b->sun_path) == 0;
    if (smtp_listen_port(&own) != smtp_listen_port(address))
        return false;
    if (own.storage.ss_family == AF_INET)
        return memcmp(&((struct sockaddr_in *)(void *)a)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    return memcmp(&((struct sockaddr_in6 *)(void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

enum dsnd_err smtp_listen_inherit(const struct smtp_address *address, unsigned count, int *ret_fd)
{
    int fd = INHERITED_FIRST;
    int copy;

    while (fd < INHERITED_FIRST + (int)count && !listens_on(fd, address))
        fd++;
    if (fd == INHERITED_FIRST + (int)count)
        return DSND_ERR_NOT_FOUND;
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || fcntl(copy, F_SETFL, O_NONBLOCK) != 0)
        return DSND_ERR_IO;
    *ret_fd = copy;
    return DSND_OK;
}

uint16_t smtp_listen_port(const struct smtp_address *address)
{
    const struct sockaddr *sa = (const struct sockaddr *)&address->storage;

    if (sa->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)sa)->sin_port);
    if (sa->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)sa)->sin6_port);
    return 0;
}

void smtp_listen_text(const struct sockaddr *address, char ret_text[SMTP_LISTEN_TEXT_SIZE])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    const char *text = NULL;

    if (address->sa_family == AF_INET)
        text = inet_ntop(AF_INET, &in->sin_addr, ret_text, SMTP_LISTEN_TEXT_SIZE);
    else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        text = inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, ret_text, SMTP_LISTEN_TEXT_SIZE);
    else if (address->sa_family == AF_INET6)
        text = inet_ntop(AF_INET6, &in6->sin6_addr, ret_text, SMTP_LISTEN_TEXT_SIZE);
    if (!text)
        (void)snprintf(ret_text, SMTP_LISTEN_TEXT_SIZE, "unix");
}
