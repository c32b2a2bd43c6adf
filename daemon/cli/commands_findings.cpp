// findings answer
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct FindingOptions {
    std::string rule;
    bool open = false, unchecked = false;
};

void print_unchecked(Session& session, const Json& one) {
    if (session.json()) return print_json(session.out(), one);
    session.out() << text_of(one, "record") << "  " << text_of(one, "kind") << "  "
                  << text_of(one, "plugin") << ": " << text_of(one, "why") << '\n';
}

void print_finding(Session& session, const Json& finding) {
    auto& out = session.out();
    out << text_of(finding, "finding") << "  " << text_of(finding, "state") << '\n';
    print_findings(out, Json::array({finding}));
    out << "  records";
    for (const auto& id : finding.value("records", Json::array())) out << ' ' << one_line(id);
    out << '\n';
}

void add_findings(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<FindingOptions>();
    auto& app = command(
        commands, commands.root, "findings", "What the rules found.", "findings --open",
        [&session, options]() -> Result<int> {
            std::string query;
            if (options->unchecked) {
                TRY(session.items(session.in_space("unchecked"), 0,
                                  [&](const Json& one) { print_unchecked(session, one); }));
                return done;
            }
            if (!options->rule.empty()) query += "&rule=" + percent_encode(options->rule);
            if (options->open) query += "&open=1";
            if (!query.empty()) query[0] = '?';
            TRY(session.items(session.in_space("findings" + query), 0, [&](const Json& one) {
                if (session.json()) {
                    print_json(session.out(), one);
                } else {
                    print_finding(session, one);
                }
            }));
            return done;
        });
    app.add_option("--rule", options->rule, "of this rule only, such as CORE-R05");
    app.add_flag("--unchecked", options->unchecked,
                 "instead: records that no verdict was made of, and why");
    app.add_flag("--open", options->open, "only those that nobody answered yet");
}

struct AnswerOptions {
    std::string finding, state, reason;
};

void add_answer(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<AnswerOptions>();
    auto& app = command(
        commands, commands.root, "answer", "Answers a finding; the answer is a record.",
        "answer f3k7 accepted --reason 'agreed with the principal'",
        [&session, options]() -> Result<int> {
            const Json body = {{"state", options->state}, {"reason", options->reason}};
            const auto target =
                session.in_space("findings/" + percent_encode(options->finding) + "/answer");
            TRY_ASSIGN(const Json record, session.post(target, body));
            if (session.json()) {
                print_json(session.out(), record);
            } else {
                print_record(session, record);
            }
            return done;
        });
    app.add_option("finding", options->finding, "the finding's id")->required();
    app.add_option("state", options->state, "accepted, corrected or dismissed")
        ->required()
        ->check(CLI::IsMember({"accepted", "corrected", "dismissed"}));
    app.add_option("--reason", options->reason, "why")->required();
}

}  // namespace

void add_finding_commands(Commands& commands) {
    add_findings(commands);
    add_answer(commands);
}

}  // namespace dutybook::cli
