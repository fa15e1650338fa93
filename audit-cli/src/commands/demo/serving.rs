//! `--serve`: the gateway goes on, and a dashboard shows what it records.

use std::net::SocketAddr;
use std::sync::Arc;

use audit_example_gateway::demo::Demo;
use audit_web::WebConfig;
use audit_web::access::{Scope, Tokens};

use super::{Gateway, say};
use crate::commands::serve::{Serving, temporary_token};
use crate::failure::{Exit, Failure};
use crate::signals::Signals;
use crate::store::{OpenStore, StoreAddress};

/// Serves at the two addresses until the program is interrupted.
pub(super) async fn keep(
    demo: &Demo,
    store: &OpenStore,
    address: &StoreAddress,
    (listen, dashboard): (SocketAddr, SocketAddr),
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let config = WebConfig::at(dashboard);
    config.check_exposure().map_err(|error| {
        Failure::because("the dashboard of a demo is for this machine", &error)
            .advice("--dashboard 127.0.0.1:0 takes any port; audit serve has TLS")
            .exit(Exit::Usage)
    })?;
    // Whoever runs the demo owns its store: he may see all of it, as long as it runs.
    let tokens = Tokens::in_memory();
    let token = temporary_token(&tokens, Scope::Admin)?;
    let serving = Serving::start(store, address, Arc::new(tokens), config, |server| server);
    let serving = serving.await?;
    let gateway = Gateway::start(demo, store, listen).await?;
    say(&format!(
        "\nThe dashboard: http://{dashboard}/, log in with {token}\n\
         The gateway: {url}, until this is interrupted (Ctrl-C). A call:\n  \
         curl -s {url} -H 'authorization: Bearer {key}' \\\n    \
         -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' \\\n    \
         -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\
         \"params\":{{\"name\":\"get_weather\",\"arguments\":{{\"city\":\"Bern\"}}}}}}'\n",
        dashboard = serving.address(),
        token = token.reveal(),
        url = gateway.url,
        key = demo.keys.operator,
    ))?;
    serving.until(signals.next()).await?;
    gateway.stop().await
}
