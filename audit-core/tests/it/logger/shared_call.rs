//! One call that several layers complete.

use audit_core::event::{
    Check, Client, ClientAddress, ClientName, Decision, Method, Outcome, Verdict,
};
use audit_core::logger::SharedCall;
use audit_core::payload::CallerCredential;
use audit_memory::MemoryStore;

use super::support::{draft, logger, soon};

async fn begin(store: &MemoryStore) -> SharedCall {
    SharedCall::new(logger(store.clone()).begin(draft("shared")).await.unwrap())
}

#[tokio::test]
async fn what_inner_layers_say_is_in_the_one_record() {
    let store = MemoryStore::new();
    let call = begin(&store).await;
    let inner = call.clone();
    inner.update(|call| call.amend(|draft| draft.decision(Decision::allowed())));
    inner.say(Outcome::Ok);
    inner.say(Outcome::ToolError);
    assert_eq!(call.said(), Some(Outcome::ToolError));

    soon(call.finish(Outcome::Ok).expect("the first end"))
        .await
        .unwrap();
    assert!(inner.finish(Outcome::Timeout).is_none());
    assert!(inner.update(|_| ()).is_none());

    let [event] = &store.recorded()[..] else {
        panic!("one record, not {:?}", store.recorded());
    };
    assert_eq!(event.id, call.id());
    assert_eq!(event.outcome, Outcome::ToolError);
    assert_eq!(event.decision.auth.verdict, Verdict::Allowed);
}

#[tokio::test]
async fn whoever_ends_it_may_outweigh_what_was_said() {
    let store = MemoryStore::new();
    let call = begin(&store).await;
    call.say(Outcome::Ok);
    let recorded = call.finish_as(|said| {
        assert_eq!(said, Some(Outcome::Ok));
        Outcome::Cancelled
    });
    soon(recorded.expect("the first end")).await.unwrap();
    assert_eq!(store.recorded()[0].outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_call_that_nobody_ends_is_aborted() {
    let store = MemoryStore::new();
    let call = begin(&store).await;
    call.say(Outcome::Ok);
    let last = call.clone();
    drop(call);
    assert!(store.recorded().is_empty(), "a handle is left");
    drop(last);
    soon(store.wait_for(|events| !events.is_empty())).await;
    assert_eq!(store.recorded()[0].outcome, Outcome::Aborted);
}

#[tokio::test]
async fn one_layer_alone_takes_it_over() {
    let store = MemoryStore::new();
    let call = begin(&store).await;
    assert!(!call.is_claimed());
    let claims: Vec<bool> = (0..3).map(|_| call.clone().claim()).collect();
    assert_eq!(claims, [true, false, false]);
    assert!(call.is_claimed());
}

#[tokio::test]
async fn a_layer_adds_to_what_the_others_know() {
    let store = MemoryStore::new();
    let call = begin(&store).await;
    call.update(|call| {
        call.amend(|draft| {
            draft
                .client(Client::new().address(ClientAddress::lossy("192.0.2.7")))
                .decision(Decision::new().auth(Check::allowed()))
        });
    });
    call.update(|call| {
        call.amend(|draft| {
            draft
                .method(Method::tools_call())
                .amend_client(|client| client.name(ClientName::lossy("inspector")))
                .amend_decision(|decision| decision.rate(Check::allowed()))
        });
    });
    soon(call.finish(Outcome::Ok).expect("the first end"))
        .await
        .unwrap();

    let event = &store.recorded()[0];
    assert_eq!(event.method, Method::tools_call());
    assert_eq!(
        event.client.address,
        Some(ClientAddress::lossy("192.0.2.7"))
    );
    assert_eq!(event.client.name, Some(ClientName::lossy("inspector")));
    let verdicts = event.decision.checks().map(|(_, check)| check.verdict);
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [Verdict::Allowed, Verdict::Skipped, Verdict::Allowed]
    );
}

#[tokio::test]
async fn what_is_logged_beside_the_record_can_be_scrubbed() {
    let store = MemoryStore::new();
    let call = begin(&store).await;
    let key = CallerCredential::new("correct horse battery");
    call.update(|call| call.amend(|draft| draft.credential(key)));
    let line = call.update(|call| call.scrub("tool correct horse battery"));
    assert_eq!(line.unwrap(), "tool [REDACTED:caller_credential]");
}
