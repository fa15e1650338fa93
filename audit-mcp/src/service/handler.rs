#![expect(
    deprecated,
    reason = "what the protocol gives up is still on the wire, and must be forwarded"
)]

use std::borrow::Cow;
use std::fmt;

use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::value::RawValue;
use tracing::Instrument as _;

use super::recorder::Recorder;
use super::wire::{Answer, wire};

/// A server of rmcp with each request on record, as a `ServerHandler`: see
/// [`Audited::into_handler`](super::Audited::into_handler).
#[derive(Clone)]
pub struct AuditedHandler<H> {
    handler: H,
    recorder: Recorder,
}

impl<H: ServerHandler> AuditedHandler<H> {
    pub(super) fn new(handler: H, recorder: Recorder) -> Self {
        Self { handler, recorder }
    }

    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &H {
        &self.handler
    }

    async fn record<A: Answer, F>(
        &self,
        method: &str,
        params: Option<Box<RawValue>>,
        mut context: RequestContext<RoleServer>,
        handle: impl FnOnce(RequestContext<RoleServer>) -> F + Send,
    ) -> Result<A, ErrorData>
    where
        F: Future<Output = Result<A, ErrorData>> + Send,
    {
        let begun = self.recorder.begin(method, params.as_deref(), &context);
        let Some(guard) = begun.await? else {
            return handle(context).await;
        };
        context.extensions.insert(guard.call().clone());
        let answer = handle(context).instrument(guard.span().clone()).await;
        guard.end(answer.as_ref().map(Answer::wire)).await;
        answer
    }
}

/// Defines the methods that answer a request, by their names on the wire.
macro_rules! requests {
    ($($name:ident($($params:ident: $type:ty)?) -> $answer:ty = $method:literal;)+) => {
        $(async fn $name(
            &self,
            $($params: $type,)?
            context: RequestContext<RoleServer>,
        ) -> Result<$answer, ErrorData> {
            let sent = requests!(@sent $($params)?);
            self.record($method, sent, context, |context| {
                self.handler.$name($($params,)? context)
            })
            .await
        })+
    };
    (@sent) => { None };
    (@sent $params:ident) => { wire(&$params) };
}

/// Defines the methods that are no requests, or answer without the client.
macro_rules! forwarded {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)?;)+) => {
        $(fn $name(&self, $($argument: $type),*) $(-> $answer)? {
            self.handler.$name($($argument),*)
        })+
    };
}

macro_rules! notifications {
    ($($name:ident($($params:ident: $type:ty)?);)+) => {
        $(async fn $name(
            &self,
            $($params: $type,)?
            context: NotificationContext<RoleServer>,
        ) {
            self.handler.$name($($params,)? context).await;
        })+
    };
}

#[deny(
    clippy::missing_trait_methods,
    reason = "a method that is not forwarded would answer for the handler"
)]
impl<H: ServerHandler> ServerHandler for AuditedHandler<H> {
    requests! {
        call_tool(request: CallToolRequestParams) -> CallToolResponse = "tools/call";
        cancel_task(request: CancelTaskParams) -> () = "tasks/cancel";
        complete(request: CompleteRequestParams) -> CompleteResult = "completion/complete";
        discover() -> DiscoverResult = "server/discover";
        get_prompt(request: GetPromptRequestParams) -> GetPromptResponse = "prompts/get";
        get_skill(request: GetSkillRequestParams) -> GetSkillResult = "skills/get";
        get_task(request: GetTaskParams) -> GetTaskResult = "tasks/get";
        initialize(request: InitializeRequestParams) -> InitializeResult = "initialize";
        list_prompts(request: Option<PaginatedRequestParams>) -> ListPromptsResult = "prompts/list";
        list_resource_templates(request: Option<PaginatedRequestParams>) -> ListResourceTemplatesResult = "resources/templates/list";
        list_resources(request: Option<PaginatedRequestParams>) -> ListResourcesResult = "resources/list";
        list_skills(request: Option<PaginatedRequestParams>) -> ListSkillsResult = "skills/list";
        list_tools(request: Option<PaginatedRequestParams>) -> ListToolsResult = "tools/list";
        ping() -> () = "ping";
        read_resource(request: ReadResourceRequestParams) -> ReadResourceResponse = "resources/read";
        read_resource_directory(request: ReadResourceDirectoryRequestParams) -> ReadResourceDirectoryResult = "resources/directory/read";
        set_level(request: SetLevelRequestParams) -> () = "logging/setLevel";
        subscribe(request: SubscribeRequestParams) -> () = "resources/subscribe";
        unsubscribe(request: UnsubscribeRequestParams) -> () = "resources/unsubscribe";
        update_task(request: UpdateTaskParams) -> () = "tasks/update";
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method.clone();
        let sent = request.params.as_ref().and_then(wire);
        self.record(&method, sent, context, |context| {
            self.handler.on_custom_request(request, context)
        })
        .await
    }

    /// The context is rmcp's own here: the handler cannot find the call in it.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let sent = wire(context.requested());
        let request = context.request_context();
        let begun = self
            .recorder
            .begin("subscriptions/listen", sent.as_deref(), request);
        let Some(guard) = begun.await? else {
            return self.handler.listen(context).await;
        };
        let span = guard.span().clone();
        let answer = self.handler.listen(context).instrument(span).await;
        guard.end(answer.as_ref().map(Answer::wire)).await;
        answer
    }

    notifications! {
        on_cancelled(params: CancelledNotificationParam);
        on_custom_notification(notification: CustomNotification);
        on_initialized();
        on_progress(params: ProgressNotificationParam);
        on_roots_list_changed();
    }

    forwarded! {
        accepted_subscription_filter(requested: &SubscriptionFilter) -> Option<SubscriptionFilter>;
        get_info() -> ServerConfig;
        get_tool(name: &str) -> Option<Tool>;
        negotiate_initialize(request: &InitializeRequestParams) -> Result<InitializeResult, ErrorData>;
        supported_protocol_versions() -> Cow<'static, [ProtocolVersion]>;
    }
}

impl<H> fmt::Debug for AuditedHandler<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedHandler")
            .field("recorder", &self.recorder)
            .finish_non_exhaustive()
    }
}
