#include "cli/run_with.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace dutybook::cli {

namespace {

// The options that every command takes may stand anywhere. They are moved to the front, where the
// program itself reads them: CLI11's own fallthrough would also take a value such as `list` in
// `search list` for a command.
struct Ordered {
    std::vector<std::string> front, rest;
};
Ordered globals_first(const std::vector<std::string>& arguments) {
    static const std::vector<std::string> with_value = {
        "--store", "--socket", "--space", "--by", "--on-behalf", "--device", "--lang"};
    Ordered ordered;
    auto& [front, rest] = ordered;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& one = arguments[i];
        if (one == "--") {
            rest.insert(rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                        arguments.end());
            break;
        }
        bool taken = one == "--json";
        bool value_follows = false;
        for (const auto& name : with_value) {
            if (one == name) taken = value_follows = true;
            if (one.starts_with(name + "=")) taken = true;
        }
        (taken ? front : rest).push_back(one);
        if (value_follows && i + 1 < arguments.size()) front.push_back(arguments[++i]);
    }
    // `init`, `space create` and `sync` name a space of their own; it is the same option.
    return ordered;
}

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

// "es_MX.UTF-8" as "es-MX"; empty for C and POSIX.
std::string language_of_account() {
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        std::string value = environment(name);
        if (value.empty()) continue;
        value = value.substr(0, value.find_first_of(".@"));
        std::replace(value.begin(), value.end(), '_', '-');
        return value == "C" || value == "POSIX" ? "" : value;
    }
    return {};
}

// `plugin install DIR --space [NAME]` says where to put it: there it is an option of its own, and
// without a name means the only space.
std::vector<std::string> own_space_of_install(std::vector<std::string> arguments) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bool installing = std::find(words.begin(), words.end(), "install") != words.end() &&
                                std::find(words.begin(), words.end(), "plugin") != words.end();
        if (installing && arguments[i].starts_with("--space=")) {
            arguments[i].replace(2, 5, "into-space");
        } else if (installing && arguments[i] == "--space") {
            const bool named = i + 1 < arguments.size() && !arguments[i + 1].starts_with("-") &&
                               arguments[i + 1].find('/') == std::string::npos;
            std::error_code failed;
            const bool folder =
                named && std::filesystem::exists(
                             std::filesystem::path(arguments[i + 1]) / "plugin.json", failed);
            arguments[i] = "--into-space=" + (named && !folder ? arguments[i + 1] : "-");
            if (named && !folder) arguments.erase(arguments.begin() + static_cast<long>(i) + 1);
        }
        words.push_back(arguments[i]);
    }
    return words;
}

void describe(CLI::App& root, Settings& settings) {
    root.require_subcommand(1);
    root.add_option("--store", settings.store, "the daemon's store directory (or DUTYBOOK_STORE)");
    root.add_option("--socket", settings.socket,
                    "the socket of a daemon of another account (or DUTYBOOK_SOCKET)");
    root.add_option("--space", settings.space, "the space, where there are several");
    root.add_option("--by", settings.by, "the person who acts (or DUTYBOOK_BY)");
    root.add_option("--on-behalf", settings.on_behalf, "the person for whom it is done");
    root.add_option("--device", settings.device, "the device on which it was entered");
    root.add_option("--lang", settings.language,
                    "the language of messages, such as es (or LC_ALL, LC_MESSAGES, LANG)");
    root.add_flag("--json", settings.json, "one JSON object a line on standard output");
    root.footer(
        "These options may stand before or after the command.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong use, 3 what was to be written is malformed or\n"
        "denied, 4 stale version, 5 no daemon; care commands: 6 repaired, 7 needs a person, 8 "
        "loss.\n"
        "A record is named by its id, a unique beginning of it, or @words to search for.\n"
        "`dutybook COMMAND --help` shows a command with an example.");
}

// Names the word that is no command, and the help that is meant.
Error wrong_use(const CLI::App& root, const std::vector<std::string>& words,
                const std::string& what) {
    const CLI::App* at = &root;
    std::string command = "dutybook";
    for (const std::string& word : words) {
        const auto subcommands =
            at->get_subcommands([&](const CLI::App* one) { return one->get_name() == word; });
        if (subcommands.empty()) {
            const bool lacks = at->get_require_subcommand_min() > 0 && !word.starts_with("-");
            const std::string help = "see `" + command + " --help`";
            return usage_error(lacks ? "there is no command `" + command + " " + word + "`" : what,
                               help);
        }
        at = subcommands.front();
        command += " " + word;
    }
    return usage_error(what, "see `" + command + " --help`");
}

// What a command cannot do without must not be empty: of no record the daemon would be asked for
// all.
std::optional<Error> empty_word(const CLI::App& root) {
    const CLI::App* at = &root;
    std::string command = "dutybook";
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
        command += " " + at->get_name();
    }
    for (const CLI::Option* const option : at->get_options()) {
        const bool needed = option->get_positional() && option->get_required();
        if (!needed || option->empty() || !option->results().front().empty()) continue;
        return usage_error(option->get_name() + " is empty", "see `" + command + " --help`");
    }
    return std::nullopt;
}

// A file that lacks its end must not pass for a whole one.
Result<int> ended(Session& session, int code) {
    if (session.out().flush()) return code;
    return failure(Code::Io, "the output could not be written", {},
                   "make room where it goes, and ask again; what was to be written is written");
}

int run_chosen(Commands& commands) {
    auto result = commands.chosen();
    if (result) result = ended(commands.session, *result);
    if (!result) {
        commands.session.out().flush();
        print_error(commands.session, result.error());
        return exit_code(result.error());
    }
    return *result;
}

}  // namespace

std::optional<int> run_with(Groups groups, const std::vector<std::string>& arguments,
                            const Offline& offline, Others others, std::ostream& out,
                            std::ostream& err) {
    Settings settings;
    settings.store = environment("DUTYBOOK_STORE");
    settings.socket = environment("DUTYBOOK_SOCKET");
    settings.by = environment("DUTYBOOK_BY");
    settings.language = language_of_account();
    Session session(settings, out, err);
    CLI::App root("Dutybook: duties, records and reports of a site", "dutybook");
    Commands commands{root, session, offline, {}};
    describe(root, settings);
    for (const auto add : groups) add(commands);
    auto [words, rest] = globals_first(own_space_of_install(arguments));
    const auto is_wanted = [&rest = rest](const CLI::App* one) {
        return !rest.empty() && one->get_name() == rest.front();
    };
    const bool known = !root.get_subcommands(is_wanted).empty();
    if (!known && others == Others::LeftAlone) return std::nullopt;
    words.insert(words.end(), rest.begin(), rest.end());
    try {
        root.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::CallForHelp& help) {
        root.exit(help, out, err);
        return done;
    } catch (const CLI::ParseError& wrong) {
        settings.json = std::find(words.begin(), words.end(), "--json") != words.end();
        print_error(session, wrong_use(root, rest, wrong.what()));
        return usage;
    }
    if (const auto empty = empty_word(root)) {
        print_error(session, *empty);
        return usage;
    }
    return run_chosen(commands);
}

}  // namespace dutybook::cli
