#include <stdio.h>

#include "cmd/commands.h"
#include "cmd/settings.h"
#include "store/store.h"

int cmd_migrate(int argc, char **argv)
{
    static struct settings settings;
    char error[1024] = "";
    int applied = 0;
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd migrate [-c FILE]\n\n"
        "Brings the schema of database.url up to what this program knows. Run again it does\n"
        "nothing.\n",
        &settings);

    if (status >= 0)
        return status;
    err = store_migrate(settings.database.url, &applied, error, sizeof(error));
    if (err) {
        (void)fprintf(stderr, "dsnd migrate: %s: %s\n", dsnd_err_text(err), error);
        return EXIT_FAILED;
    }
    (void)printf("schema version %d, %d step%s applied\n", store_schema_version, applied,
                 applied == 1 ? "" : "s");
    return EXIT_DONE;
}
