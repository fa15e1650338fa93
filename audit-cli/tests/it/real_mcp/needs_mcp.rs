//! Which scenario is played against which server, and in which era. Each is a test.

/// Way, server, era, scenarios: the names of the modules, and words for `client.py`.
macro_rules! table {
    ($($way:ident { $($server:ident { $($era:ident { $($scenario:ident)+ })+ })+ })+) => {
        $(mod $way { $(mod $server { $(mod $era { $(
            #[tokio::test]
            async fn $scenario() {
                let row = crate::real_mcp::row::Row {
                    scenario: stringify!($scenario),
                    server: stringify!($server),
                    era: stringify!($era),
                    way: stringify!($way),
                };
                row.play().await;
            }
        )+ })+ })+ })+
    };
}

table! {
    stdio {
        everything {
            legacy {
                bad_arguments batch call cancel_unheard elicitation get_env ids inspector_call
                inspector_listing inspector_tool_error listing malformed_envelope malformed_json
                odd_spelling progress prompts resources roots sampling subscription tool_error
                unknown_method unknown_tool
            }
            auto { call }
        }
        own {
            legacy {
                bad_arguments batch big_result call cancel elicitation get_env ids inspector_call
                inspector_listing inspector_tool_error listing malformed_envelope malformed_json
                odd_spelling out_of_order progress server_killed slow_call tool_error unknown_method
                unknown_tool
            }
            modern {
                bad_arguments big_result call cancel elicitation get_env listening listing
                out_of_order progress server_killed slow_call tool_error unknown_tool
            }
            auto { call }
        }
        time {
            legacy { bad_arguments call listing tool_error unknown_tool }
            modern { bad_arguments call listing tool_error unknown_tool }
        }
    }
    http {
        everything {
            legacy {
                bad_arguments batch call cancel_unheard elicitation get_env ids inspector_call
                inspector_listing inspector_tool_error listing malformed_envelope malformed_json
                odd_spelling progress prompts resources roots sampling subscription tool_error
                unknown_method unknown_tool wrong_accept wrong_content_type wrong_session
            }
            auto { call }
        }
        own {
            legacy {
                bad_arguments batch big_result call cancel elicitation get_env ids inspector_call
                inspector_listing inspector_tool_error listing malformed_envelope malformed_json
                odd_spelling out_of_order progress server_killed slow_call tool_error unknown_method
                unknown_tool wrong_accept wrong_content_type wrong_session
            }
            modern {
                bad_arguments big_result call cancel elicitation get_env listening listing
                out_of_order progress server_killed slow_call tool_error unknown_tool wrong_header
            }
            auto { call }
        }
    }
}
