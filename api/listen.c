#include "api/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

enum { LISTEN_BACKLOG = 1024, PEM_MAX = 1024 * 1024, HOST_SIZE = 256, PORT_SIZE = 8 };

/* "127.0.0.1:80", "[::1]:80", "name:80". */
static enum dsnd_err split(const char *address, char host[HOST_SIZE], char port[PORT_SIZE])
{
    struct dsnd_str text = dsnd_str_of(address);
    size_t colon = dsnd_str_rchr(text, ':');
    struct dsnd_str name = dsnd_str_slice(text, 0, colon);
    uint64_t number;

    if (colon == SIZE_MAX ||
        dsnd_str_to_u64(dsnd_str_slice(text, colon + 1, text.len), UINT16_MAX, &number))
        return DSND_ERR_SYNTAX;
    if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        name = dsnd_str_slice(name, 1, name.len - 1);
    if (snprintf(port, PORT_SIZE, "%u", (unsigned)number) < 0)
        return DSND_ERR_SYNTAX;
    return dsnd_str_copy(name, host, HOST_SIZE);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    in_port_t port = 0;

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        port = ((struct sockaddr_in *)(void *)&address)->sin_port;
    else if (address.ss_family == AF_INET6)
        port = ((struct sockaddr_in6 *)(void *)&address)->sin6_port;
    return ntohs(port);
}

static int open_socket(const struct addrinfo *info)
{
    int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

enum dsnd_err listen_open(const char *address, int *ret_fd, uint16_t *ret_port, char *error,
                          size_t error_size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *info = NULL;
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    int fd;

    if (split(address, host, port) ||
        getaddrinfo(host[0] ? host : NULL, port, &hints, &info) != 0) {
        (void)snprintf(error, error_size,
                       "\"%s\" is no address to listen on; host:port or [address]:port is allowed",
                       address);
        return DSND_ERR_SYNTAX;
    }
    fd = open_socket(info);
    freeaddrinfo(info);
    if (fd < 0) {
        (void)snprintf(error, error_size, "cannot listen on %s: %s", address, strerror(errno));
        return DSND_ERR_IO;
    }
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return DSND_OK;
}

static enum dsnd_err read_pem(const char *path, char **ret_text, char *error, size_t error_size)
{
    struct dsnd_buf text = DSND_BUF_INIT(PEM_MAX);
    enum dsnd_err err = file_read(path, &text);

    if (!err)
        err = dsnd_buf_add_char(&text, '\0');
    if (!err) {
        *ret_text = text.ptr;
        return DSND_OK;
    }
    (void)snprintf(error, error_size, "%s: %s", path,
                   err == DSND_ERR_IO ? strerror(errno) : dsnd_err_text(err));
    dsnd_buf_done(&text);
    return DSND_ERR_SYNTAX;
}

static bool given(const char *text)
{
    return text && text[0];
}

enum dsnd_err listen_read_pair(const struct api_settings *settings, struct api_listener *listener,
                               char *error, size_t error_size)
{
    enum dsnd_err err;

    if (!given(settings->tls_cert) && !given(settings->tls_key))
        return DSND_OK;
    if (!given(settings->tls_cert) || !given(settings->tls_key)) {
        (void)snprintf(error, error_size, "http.tls_cert and http.tls_key go together");
        return DSND_ERR_SYNTAX;
    }
    err = read_pem(settings->tls_cert, &listener->tls_cert, error, error_size);
    return err ? err : read_pem(settings->tls_key, &listener->tls_key, error, error_size);
}

void listen_close(struct api_listener *listener)
{
    if (listener->fd >= 0)
        (void)close(listener->fd);
    listener->fd = -1;
    free(listener->tls_cert);
    if (listener->tls_key)
        explicit_bzero(listener->tls_key, strlen(listener->tls_key));
    free(listener->tls_key);
    listener->tls_cert = NULL;
    listener->tls_key = NULL;
}
