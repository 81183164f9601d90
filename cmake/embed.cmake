# cmake -DIN=file -DOUT=header -DNAME=symbol -P embed.cmake: the octets of a file as a C array.
file(READ ${IN} octets HEX)
string(LENGTH "${octets}" length)
math(EXPR length "${length} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" octets "${octets}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," octets "${octets}")
file(WRITE ${OUT} "static const unsigned char ${NAME}[] = {\n${octets}\n};\n"
    "static const size_t ${NAME}_len = ${length};\n")
