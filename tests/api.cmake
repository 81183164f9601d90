# Tests of the API. Those labelled db start `dsnd api` over a throw-away PostgreSQL cluster and speak
# HTTP with it.
add_executable(api_seed support/seed_main.c support/db.c support/items.c)
target_include_directories(api_seed PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(api_seed PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(api_seed PRIVATE dsnd_flags dsnd_store PkgConfig::CMOCKA PkgConfig::PQ)

foreach(name deadlines feeds head incidents openapi policy log_reckoning reckoning routes series streams threads webhooks)
    add_test(NAME db/api_${name}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/pg_cluster.sh run
            python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/api/test_${name}.py $<TARGET_FILE:dsnd> $<TARGET_FILE:api_seed>)
    set_tests_properties(db/api_${name} PROPERTIES LABELS db TIMEOUT 300 SKIP_RETURN_CODE 77)
endforeach()
set_tests_properties(db/api_streams PROPERTIES TIMEOUT 900) # a million rows
add_library(late_clock MODULE support/late_clock.c)
add_library(failing_send MODULE support/failing_send.c)
target_link_libraries(failing_send PRIVATE PkgConfig::PQ)
set_tests_properties(db/api_deadlines PROPERTIES ENVIRONMENT "FAILING_SEND=$<TARGET_FILE:failing_send>")
set_tests_properties(db/api_feeds PROPERTIES ENVIRONMENT "LATE_CLOCK=$<TARGET_FILE:late_clock>")

add_test(NAME e2e/dashboard
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/pg_cluster.sh run
        python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/browser/test_dashboard.py $<TARGET_FILE:dsnd> $<TARGET_FILE:api_seed>)
set_tests_properties(e2e/dashboard PROPERTIES LABELS e2e TIMEOUT 300 SKIP_RETURN_CODE 77)

foreach(name api_json api_parts api_values)
    dsnd_unit_test(${name} LIBS dsnd_api PkgConfig::JANSSON)
endforeach()
dsnd_fuzz_target(api_input LIBS dsnd_api PkgConfig::JANSSON)
