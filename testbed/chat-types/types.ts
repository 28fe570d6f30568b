// What is posted to chat services, in the types that the services publish for those who write programs for them; those of
// Discord and Telegram are kept by the people whose programs most bots there are written with, after the documentation.
// Around them stands what only their documentation says: which fields a request has.
import type { IAdaptiveCard } from '@microsoft/teams.cards';
import type { ApiMethods } from '@grammyjs/types';
import type { EventPayloadV2 } from '@pagerduty/pdjs/build/src/events';
import type { RESTPostAPIWebhookWithTokenJSONBody } from 'discord-api-types/v10';
import type { KnownBlock, MessageAttachment as SlackAttachment } from '@slack/types';
import type { MessageAttachment } from '@mattermost/types/message_attachments';
import type { Post } from '@mattermost/types/posts';
import type { chat_v1 } from '@googleapis/chat';

export type slack = {
  channel?: string;
  thread_ts?: string;
  text: string;
  blocks: KnownBlock[];
  attachments?: SlackAttachment[];
  unfurl_links: boolean;
  unfurl_media: boolean;
};
export type teams = {
  type: 'message';
  summary: string;
  attachments: {
    contentType: 'application/vnd.microsoft.card.adaptive';
    contentUrl: null;
    content: IAdaptiveCard;
  }[];
};
export type google_chat = chat_v1.Schema$Message;
export type mattermost = Partial<Pick<Post, 'channel_id' | 'message' | 'root_id' | 'file_ids' | 'pending_post_id'>>;
export type mattermost_webhook = { text: string; attachments?: MessageAttachment[] };
export type discord = RESTPostAPIWebhookWithTokenJSONBody;
export type telegram = Parameters<ApiMethods<never>['sendMessage']>[0];
// `client` is in the documentation only: https://developer.pagerduty.com/docs/send-alert-event
export type pagerduty = EventPayloadV2 & { client: string };
