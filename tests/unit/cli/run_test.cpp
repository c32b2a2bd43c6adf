#include "cli/run.h"

#include "cli/http.h"
#include "cli/print.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace dutybook;
using namespace dutybook::cli;

namespace {

struct Ran {
    int code;
    std::string out, err;
};

Ran run_with(const std::vector<std::string>& arguments) {
    Offline offline;
    offline.init = [](const Offline::Init& init) {
        return Result<Json>(boost::system::in_place_value,
                            Json{{"site", init.site}, {"space", init.space}});
    };
    std::ostringstream out;
    std::ostringstream err;
    const int code = run(arguments, offline, out, err);
    return {code, out.str(), err.str()};
}

const std::vector<std::vector<std::string>> commands = {{"add"},
                                                        {"check"},
                                                        {"show"},
                                                        {"set"},
                                                        {"finalise"},
                                                        {"retract"},
                                                        {"delete"},
                                                        {"restore"},
                                                        {"list"},
                                                        {"search"},
                                                        {"history"},
                                                        {"diff"},
                                                        {"conflicts"},
                                                        {"resolve"},
                                                        {"findings"},
                                                        {"answer"},
                                                        {"kind", "list"},
                                                        {"kind", "show"},
                                                        {"space", "list"},
                                                        {"space", "create"},
                                                        {"remote", "add"},
                                                        {"remote", "set"},
                                                        {"remote", "check"},
                                                        {"remote", "list"},
                                                        {"remote", "remove"},
                                                        {"sync"},
                                                        {"status"},
                                                        {"init"},
                                                        {"invite"},
                                                        {"join"},
                                                        {"verify"},
                                                        {"repair"},
                                                        {"rebuild"}};

}  // namespace

TEST_CASE("every command has a help with an example") {
    for (auto words : commands) {
        CAPTURE(words.back());
        const std::string name = words.size() == 2 ? words[0] + " " + words[1] : words[0];
        words.push_back("--help");
        const auto ran = run_with(words);
        CHECK(ran.code == 0);
        CHECK(ran.out.find("Example:\n  dutybook " + name) != std::string::npos);
        CHECK(ran.err.empty());
    }
}

TEST_CASE("wrong use is exit 2 with one line") {
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"frobnicate"},
                                                  {"show"},
                                                  {"list", "core.duty", "--limit", "x"},
                                                  {"answer", "f", "perhaps", "--reason", "r"},
                                                  {"remote"}}) {
        const auto ran = run_with(words);
        CHECK(ran.code == 2);
        CHECK(ran.err.starts_with("dutybook: "));
        CHECK(ran.out.empty());
    }
}

TEST_CASE("no daemon is exit 5, and with --json a problem on standard error") {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"--store", "/nonexistent", "status", "--json"},
          {"status", "--json", "--store", "/nonexistent"},
          {"--json", "--store=/nonexistent", "list", "core.duty"}}) {
        const auto ran = run_with(words);
        CHECK(ran.code == 5);
        CHECK(ran.out.empty());
        const Json problem = Json::parse(ran.err, nullptr, false);
        REQUIRE(problem.is_object());
        CHECK(problem["code"] == "unavailable");
    }
}

TEST_CASE("a value that is also a command's name is a value") {
    const auto ran = run_with({"search", "list", "status", "--store", "/nonexistent"});
    CHECK(ran.code == 5);
}

TEST_CASE("init takes the shared options wherever they stand") {
    const auto ran =
        run_with({"init", "--site", "North", "--space", "north", "--store", "/x", "--json"});
    CHECK(ran.code == 0);
    CHECK(ran.out == "{\"site\":\"North\",\"space\":\"north\"}\n");
}

TEST_CASE("percent_encode leaves only unreserved characters") {
    CHECK(percent_encode("a-z.A_9~") == "a-z.A_9~");
    CHECK(percent_encode("@bus rain/ä") == "%40bus%20rain%2F%C3%A4");
}

TEST_CASE("a table is aligned by characters, not bytes") {
    Table table({"ID", "NAME"});
    table.add({"Zoë", "x"});
    table.add({"Anna-Maria", "y"});
    std::ostringstream out;
    table.print(out);
    CHECK(out.str() == "ID          NAME\nZoë         x\nAnna-Maria  y\n");
}
