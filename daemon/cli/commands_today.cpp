// today due
#include "cli/command.h"
#include "formats/text_table.h"

#include <map>
#include <ostream>

namespace dutybook::cli {

namespace {

struct AttentionOptions {
    std::string person, date, language = "en";
    unsigned days = 30;
};

// A level in the reader's language; one that a plugin made up stays as it is.
std::string level_text(const std::string& level, bool spanish) {
    static const std::map<std::string, std::string> words{{"urgent", "urgente"},
                                                          {"overdue", "atrasado"},
                                                          {"expired", "vencido"},
                                                          {"now", "ahora"},
                                                          {"unanswered", "sin responder"},
                                                          {"today", "hoy"},
                                                          {"soon", "pronto"},
                                                          {"open", "abierto"}};
    const auto found = words.find(level);
    return spanish && found != words.end() ? found->second : level;
}

Result<int> show(Session& session, const std::string& list, const AttentionOptions& options) {
    std::string target = list + "?language=" + percent_encode(options.language);
    if (!options.person.empty()) target += "&person=" + percent_encode(options.person);
    if (!options.date.empty()) target += "&date=" + percent_encode(options.date);
    if (list == "due") target += "&days=" + std::to_string(options.days);
    TRY_ASSIGN(const Json answer, session.get(session.in_space(target)));
    // A narrow terminal has no room for ids: @words name a record as well.
    constexpr std::size_t wide = 110;
    const std::size_t width = terminal_width();
    const bool spanish = options.language.starts_with("es");
    std::vector<std::vector<std::string>> rows{
        spanish ? std::vector<std::string>{"NIVEL", "CUÁNDO", "QUÉ", "LUGAR", "QUIÉN"}
                : std::vector<std::string>{"LEVEL", "WHEN", "WHAT", "PLACE", "WHO"}};
    if (width >= wide) rows.front().push_back(spanish ? "REGISTRO" : "RECORD");
    for (const Json& item : answer.value("items", Json::array())) {
        if (session.json()) print_json(session.out(), item);
        rows.push_back({level_text(text_of(item, "level"), spanish), text_of(item, "when"),
                        text_of(item, "what"), text_of(item, "place"), text_of(item, "who")});
        if (width >= wide) rows.back().push_back(text_of(item, "record"));
    }
    if (session.json()) return done;
    session.out() << (rows.size() > 1 ? formats::text_table(std::move(rows), width)
                      : spanish       ? "no hay nada pendiente\n"
                                      : "nothing needs attention\n");
    const auto more = answer.value("more_findings", std::uint64_t{0});
    if (more > 0) {
        session.out() << more
                      << (spanish ? " hallazgos más están abiertos: dutybook findings --open\n"
                                  : " more findings are open: dutybook findings --open\n");
    }
    return done;
}

CLI::App& add(Commands& commands, const std::string& name, const std::string& what,
              const std::string& example, const std::shared_ptr<AttentionOptions>& options) {
    auto& session = commands.session;
    auto& app = command(commands, commands.root, name, what, example,
                        [&session, name, options] { return show(session, name, *options); });
    app.add_option("--person", options->person,
                   "of this person alone: an id, its beginning, or @words");
    app.add_option("--date", options->date, "of another day, such as 2026-05-04");
    app.add_option("--language", options->language, "of the reader: en, es");
    return app;
}

}  // namespace

void add_today_commands(Commands& commands) {
    auto options = std::make_shared<AttentionOptions>();
    add(commands, "today", "The day at a glance: what needs attention comes first.",
        "today --person p-rosa", options);
    auto& due =
        add(commands, "due", "What expires, is overdue or unanswered.", "due --days 60", options);
    due.add_option("--days", options->days, "how far ahead to look")->check(whole_number());
}

}  // namespace dutybook::cli
