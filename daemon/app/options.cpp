#include "app/options.h"

#include <CLI/CLI.hpp>

namespace dutybook::app {

Parsed parse_options(int argc, char** argv, const std::string& version) {
    Parsed parsed;
    Options& options = parsed.options;
    std::string level = "info";
    CLI::App app("The Dutybook daemon: runs in the foreground and prints 'ready'.");
    app.footer(
        "Example:\n  dutybookd --store /var/lib/dutybook --http off "
        "--socket /run/dutybook/door --group aides");
    app.set_version_flag("--version", version);
    app.add_option("--store", options.store, "the store's directory")->envname("DUTYBOOK_STORE");
    app.add_option("--http", options.http, "loopback ADDR:PORT for pages and scripts, or off")
        ->capture_default_str();
    app.add_option("--socket", options.socket,
                   "a second socket, outside of the store, for accounts that were let in "
                   "(dutybook account add)");
    app.add_option("--group", options.group, "a group whose members may write through it");
    app.add_option("--log", level, "debug, info, warning or error")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
        ->capture_default_str();
    // For tests and measurements alone, and so not in the help.
    app.add_flag("--plain-spaces", options.plain_spaces)->group("");
    app.add_flag("--print-openapi", options.print_openapi, "print the API's description and end");
    try {
        app.parse(argc, argv);
        if (options.store.empty() && !options.print_openapi)
            throw CLI::RequiredError("--store DIR (or DUTYBOOK_STORE)");
    } catch (const CLI::ParseError& error) {
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
        return parsed;
    }
    if (options.http == "off") options.http.clear();
    options.log = level == "debug"     ? LogLevel::Debug
                  : level == "warning" ? LogLevel::Warning
                  : level == "error"   ? LogLevel::Error
                                       : LogLevel::Info;
    return parsed;
}

std::filesystem::path find_schemas(const std::filesystem::path& program_folder) {
    // build/bin, build/<preset>/bin, and an installed bin/ beside share/.
    for (const char* relative :
         {"../../schemas", "../../../schemas", "../share/dutybook/schemas"}) {
        std::error_code failed;
        auto path = std::filesystem::weakly_canonical(program_folder / relative, failed);
        if (!failed && std::filesystem::is_directory(path / "kinds", failed)) return path;
    }
    std::error_code failed;
    const std::filesystem::path installed = "/usr/share/dutybook/schemas";
    return std::filesystem::is_directory(installed / "kinds", failed) ? installed
                                                                      : std::filesystem::path();
}

std::filesystem::path find_plugins(const std::filesystem::path& schemas) {
    return schemas.parent_path() / "plugins";
}

}  // namespace dutybook::app
