# Tests of store/. Those labelled db run each under a throw-away PostgreSQL cluster of its own.
function(dsnd_db_test name)
    cmake_parse_arguments(T "" "" "LIBS;SOURCES;RUNNER" ${ARGN})
    if(NOT T_RUNNER)
        set(T_RUNNER ${CMAKE_CURRENT_SOURCE_DIR}/support/pg_cluster.sh run)
    endif()
    add_executable(test_db_${name} db/test_${name}.c support/db.c ${T_SOURCES})
    target_include_directories(test_db_${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(test_db_${name} PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(test_db_${name} PRIVATE dsnd_flags ${T_LIBS} PkgConfig::CMOCKA PkgConfig::PQ)
    add_test(NAME db/${name}
        COMMAND ${T_RUNNER} $<TARGET_FILE:test_db_${name}>)
    set_tests_properties(db/${name} PROPERTIES LABELS db TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

dsnd_unit_test(delivery LIBS dsnd_store)
dsnd_db_test(schema LIBS dsnd_store)
dsnd_db_test(write LIBS dsnd_store Threads::Threads SOURCES support/items.c)
dsnd_db_test(attribution LIBS dsnd_store SOURCES support/items.c)
foreach(name suppression suppression_lift)
    dsnd_db_test(${name} LIBS dsnd_store SOURCES support/items.c support/suppress.c)
endforeach()
dsnd_db_test(policy LIBS dsnd_store SOURCES support/items.c)
dsnd_db_test(guard LIBS dsnd_store SOURCES support/items.c)
dsnd_db_test(incident LIBS dsnd_store Threads::Threads SOURCES support/items.c)
dsnd_db_test(maintain LIBS dsnd_store SOURCES support/items.c)
dsnd_db_test(erase LIBS dsnd_store Threads::Threads SOURCES support/items.c)
foreach(name reclassify reclassify_people)
    dsnd_db_test(${name} LIBS dsnd_store Threads::Threads
        SOURCES support/items.c support/rejudge.c support/saved.c)
endforeach()
dsnd_db_test(webhook LIBS dsnd_store SOURCES support/items.c)
dsnd_db_test(log LIBS dsnd_store Threads::Threads SOURCES support/items.c)
# This one crashes its cluster, so it has another kind of it.
dsnd_db_test(restart LIBS dsnd_store Threads::Threads SOURCES support/items.c
    RUNNER ${CMAKE_CURRENT_SOURCE_DIR}/db/restart.sh)

# Measures the writer and the queries; run by bench/store.sh.
add_executable(store_bench bench/store_bench.c support/db.c support/items.c)
target_include_directories(store_bench PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(store_bench PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(store_bench PRIVATE dsnd_flags dsnd_store PkgConfig::CMOCKA PkgConfig::PQ)
