# cmake -DIN=file -DOUT=file.c -DNAME=name -DHEADER=header.h -P embed_file.cmake
# The octets of a file as a C array name[] and its length name_octets.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," octets "${hex}")
string(REPLACE "'\\x0a'," "'\\x0a',\n" octets "${octets}")
file(WRITE ${OUT} "#include \"${HEADER}\"\n\nconst char ${NAME}[] = {\n${octets}'\\0'};\nconst size_t ${NAME}_octets = sizeof(${NAME}) - 1;\n")
