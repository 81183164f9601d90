/*
 * Functions no file of this project may call: they cannot bound what they write, keep hidden state,
 * or cannot report an error. Included into every translation unit by the compiler's -include.
 *
 * The headers that declare them come first, so that the poison meets only our own code.
 */
#ifndef DSND_BASE_BANNED_H
#define DSND_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gmtime localtime asctime ctime
#pragma GCC poison strncpy strncat

#endif
