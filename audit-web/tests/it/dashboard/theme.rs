use audit_web::access::Scope;

use super::checked;
use crate::support::Stand;

#[tokio::test]
async fn the_chosen_colors_stay_without_a_script() {
    let stand = Stand::with(&[]).await;
    let session = stand.log_in(Scope::Viewer).await;
    let request = stand
        .request("POST", "/theme")
        .header("cookie", &session)
        .header("sec-fetch-site", "same-origin");
    let body = "to=%2Fexplore%3Fq%3Da&theme=dark";
    let answer = stand.send(request, body).await;
    assert_eq!(answer.status.as_u16(), 303);
    assert_eq!(answer.header("location"), "/explore?q=a");
    let chosen = answer.header("set-cookie").split(';').next().unwrap();
    let request = stand
        .request("GET", "/explore")
        .header("cookie", format!("{session}; {chosen}"))
        .header("accept", "text/html");
    let page = checked(&stand.send(request, "").await);
    let html = page.all("html").next().unwrap();
    assert_eq!(html.attribute("data-theme"), "dark");
    stand.end().await;
}
