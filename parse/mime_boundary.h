/*
 * A boundary that Content-Type gives in pieces or in another charset (RFC 2231 sections 3 and 4).
 * Pure, any thread, linear.
 */
#ifndef DSND_PARSE_MIME_BOUNDARY_H
#define DSND_PARSE_MIME_BOUNDARY_H

#include <stddef.h>

/*
 * Rewrite the value of a Content-Type in place, as long as it was: the parameters `boundary*`,
 * `boundary*0`, `boundary*1*`... become one plain `boundary`, which stands behind the others. They
 * only go where there is a plain one already, or where what they say can be none: then there is no
 * boundary.
 */
void mime_boundary_join(char *value, size_t len);

#endif
