# cmake -DOUT=... -DFILES=a,b -P embed_sql.cmake: the migrations as a C table.
string(REPLACE "," ";" FILES "${FILES}")
set(arrays "")
set(rows "")
set(expected 1)
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(REGEX MATCH "^[0-9]+" digits ${name})
    string(REGEX REPLACE "^0+" "" number "${digits}")
    if(NOT number EQUAL expected)
        message(FATAL_ERROR "${name}: migrations are numbered without gaps; ${expected} is missing")
    endif()
    math(EXPR expected "${expected} + 1")
    file(READ ${file} hex HEX)
    file(SHA256 ${file} sha256)
    string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
    string(APPEND arrays "static const char sql_${digits}[] = {${octets}0};\n")
    string(APPEND rows "    {${number}, \"${name}\", \"${sha256}\", sql_${digits}},\n")
endforeach()
math(EXPR last "${expected} - 1")
file(WRITE ${OUT} "#include \"store/migrations.h\"\n#include \"store/store.h\"\n
${arrays}
const struct migration migrations[] = {\n${rows}};
const size_t migration_count = sizeof(migrations) / sizeof(*migrations);
const int store_schema_version = ${last};\n")
